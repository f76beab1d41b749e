"""`leadpact doctor`: what is missing or wrong in this workspace, in plain words."""

from dataclasses import asdict

import typer

from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show

app = command_app()


@app.command()
def doctor(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Look at every part a score needs; exit code 1 when one is missing or wrong."""
    from serving import clock
    from serving.diagnosis import diagnose
    from serving.settings import read_settings

    findings = diagnose(read_settings(workspace), now=clock.now())
    healthy = all(finding.is_good for finding in findings)
    if json:
        print_json({"healthy": healthy, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            advice = f": {finding.fix}" if finding.fix else ""
            show(f"{'ok     ' if finding.is_good else 'MISSING'} {finding.thing:<9} {finding.text}{advice}")
    raise typer.Exit(0 if healthy else 1)
