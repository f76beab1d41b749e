"""`leadpact policy`: check, show, propose and sign the agreement; the other acts are in `policy_acts`.

Decides only where the text of a policy comes from; rules, words and signatures are those of `sla` and of
`serving.operations`.
"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError
from serving.commands import policy_acts, policy_questions
from serving.commands.policy_acts import (
    FileArgument,
    LangOption,
    PersonOption,
    SideOption,
    VersionOption,
    newest_version,
    open_policies,
    read_bytes,
    read_text,
)
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, say, show
from serving.settings import read_settings
from sla.stages import Side

if TYPE_CHECKING:
    from sla.errors import PolicyProblem
    from sla.policy import Policy

app = command_app("The agreement: check, show, compare, propose, comment, sign.")
for name, command in (
    ("draft", policy_acts.draft),
    ("comment", policy_acts.comment),
    ("withdraw", policy_acts.withdraw),
    ("reject", policy_acts.reject),
    ("list", policy_acts.list_versions),
    ("history", policy_acts.history),
    ("diff", policy_questions.diff),
    ("what-if", policy_questions.ask),
):
    app.command(name)(command)

COUNTED = ("personas", "thresholds", "overrides", "disqualifiers", "responses", "content")


@app.command("check")
def check_policy(file: FileArgument, lang: LangOption = "en", as_json: JsonOption = False) -> None:
    """Report every mistake of a policy file, or that it is sound."""
    from sla.errors import PolicyProblems
    from sla.words_problems import problems_text

    policy_questions.refuse_language(lang)

    try:
        policy = _read_file(file, as_proposal=True)
    except PolicyProblems as error:
        if as_json:
            print_json({"ok": False, "problems": [_problem_fields(one, lang) for one in error.problems]})
            raise typer.Exit(2) from error
        raise InputError(problems_text(error, lang)) from error
    if as_json:
        print_json({"ok": True, "problems": [], **_summary(policy)})
    else:
        counts = ", ".join(f"{name} {len(getattr(policy, name))}" for name in COUNTED)
        show(f"{file} is ok: {policy.name}, version {policy.version} ({counts})")


@app.command("show")
def show_policy(
    file: Annotated[
        Path | None, typer.Argument(help="A policy file [default: the policy in force].", metavar="FILE")
    ] = None,
    lang: LangOption = "en",
    workspace: WorkspaceOption = None,
) -> None:
    """Render a policy in plain English or German, from its rules."""
    from sla.words import render_policy

    policy_questions.refuse_language(lang)
    policy = policy_questions.policy_in_force(read_settings(workspace)) if file is None else _read_file(file)
    show(render_policy(policy, lang).rstrip())


@app.command("propose")
def propose(
    file: FileArgument,
    by: PersonOption,
    side: SideOption = None,
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=365, help="Days until it expires unsigned [default: 30].")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Store a policy as a version that both sides can sign.

    Its own side can edit it with `draft`, which voids signatures, or withdraw it; the other can reject it.
    """
    from serving.clock import now
    from serving.operations.propose_policy import propose_policy

    text, at = read_text(file), now()
    expires_at = None if expires_days is None else at + timedelta(days=expires_days)
    with open_policies(read_settings(workspace)) as database:
        version = propose_policy(
            database, text, by=by, now=at, source=str(file), side=side, expires_at=expires_at
        )
    show(f"policy version {version} is proposed by {by}")
    for each in Side:
        say(f"next: leadpact policy sign --side {each} --by NAME --version {version}")


@app.command("sign")
def sign(
    side: Annotated[Side, typer.Option("--side", help="The side that signs.")],
    by: PersonOption,
    version: VersionOption = None,
    policy_hash: Annotated[
        str | None, typer.Option("--hash", help="Sign only this text, as `policy list --json` names it.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Sign a proposed policy for one side.

    It is in force with both signatures, by different people.
    """
    from serving.clock import now
    from serving.operations.active_policy import ActivePolicy, active_policy
    from serving.operations.sign_policy import sign_policy

    with open_policies(read_settings(workspace), must_exist=True) as database:
        signed = newest_version(database) if version is None else version
        sign_policy(database, version=signed, side=side, person=by, now=now(), policy_hash=policy_hash)
        state = active_policy(database, now=now())
    show(f"policy version {signed} is signed for {side} by {by}")
    show(f"policy version {state.version} is in force" if isinstance(state, ActivePolicy) else state.text())


def _read_file(file: Path, *, as_proposal: bool = False) -> "Policy":
    """Return the policy of a file; as a proposal its day must not be over."""
    from serving.clock import now
    from sla.policy_file import Proposal, read_policy

    proposal = Proposal(now=now()) if as_proposal else None
    return read_policy(read_bytes(file), source=str(file), proposal=proposal)


def _summary(policy: "Policy") -> dict[str, object]:
    from sla.clauses import ON_SIGNATURE
    from sla.policy_file import policy_hash

    return {
        "name": policy.name,
        "version": policy.version,
        "valid_from": ON_SIGNATURE if policy.valid_from is None else policy.valid_from.isoformat(),
        "hash": policy_hash(policy),
        **{name: len(getattr(policy, name)) for name in COUNTED},
    }


def _problem_fields(problem: "PolicyProblem", lang: str) -> dict[str, object]:
    from sla.words_problems import rule_text

    rule = rule_text(problem.rule, lang)
    return {"line": problem.line, "path": problem.path, "rule": rule, "value": problem.value}
