"""What an e-mail address tells without being stored: whose domain it is, and of which country.

Decides the classes. The list of free-mail domains is frozen with the model that was trained with it
(`Feature.free_mail_domains`), so that a longer list here changes no score.
"""

import re

FREE_MAIL, COMPANY, INVALID = "free_mail", "company", "invalid"
EMAIL_CLASSES = (FREE_MAIL, COMPANY, INVALID)
EMAIL_CLASSES_DE = ("Freemail-Adresse", "Firmenadresse", "ungültige Adresse")
EMAIL_CLASSES_EN = ("free-mail address", "company address", "invalid address")

GENERIC = "generic"
"""The country of a domain under .com, .org and every other top level that is no country's."""

COUNTRY_OF_TOP_LEVEL = {
    "uk": "GB",
    "eu": "EU",
    "ac": GENERIC,
    "ai": GENERIC,
    "io": GENERIC,
    "me": GENERIC,
    "tv": GENERIC,
}
"""Top levels of two letters whose country has another code (ISO 3166), or which are sold to everyone."""

ADDRESS = re.compile(
    r"[^@\s]{1,64}@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9])"
)
"""Local part and a host name of at least two labels (RFC 5321 4.1.2, RFC 1123 2.1); nothing is looked up."""

LONGEST_ADDRESS = 254


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FREE_MAIL_DOMAINS = _words(
    """
    126.com 163.com 1und1.de aim.com alice.it aol.com aol.de aon.at arcor.de att.net bellsouth.net
    bigpond.com bluemail.ch bluewin.ch bol.com.br btinternet.com caramail.com centrum.cz charter.net
    comcast.net cox.net duck.com email.com email.cz email.de fastmail.com fastmail.fm foxmail.com
    free.fr freemail.hu freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.fr gmx.info gmx.net
    gmx.org googlemail.com hanmail.net hey.com home.nl hotmail.ch hotmail.co.uk hotmail.com
    hotmail.com.br hotmail.de hotmail.es hotmail.fr hotmail.it hotmail.nl hushmail.com icloud.com
    inbox.lv inbox.ru interia.pl kabelmail.de kpnmail.nl laposte.net libero.it list.ru live.at
    live.co.uk live.com live.de live.fr live.it live.nl lycos.de mac.com mail.com mail.de mail.ru
    mailbox.org me.com msn.com naver.com neuf.fr numericable.fr o2.pl online.de online.no onet.pl
    orange.fr outlook.at outlook.com outlook.com.br outlook.de outlook.es outlook.fr outlook.it
    posteo.at posteo.ch posteo.de posteo.net proton.me protonmail.ch protonmail.com qq.com rambler.ru
    rediffmail.com rocketmail.com rogers.com runbox.com sapo.pt sbcglobal.net seznam.cz sfr.fr sina.com
    skynet.be sky.com sunrise.ch t-online.de telenet.be terra.com.br tin.it tiscali.it tuta.com
    tutamail.com tutanota.com tutanota.de uol.com.br verizon.net virgilio.it virginmedia.com vodafone.de
    volny.cz vodafonemail.de wanadoo.fr web.de wp.pl xs4all.nl ya.ru yahoo.ca yahoo.co.in yahoo.co.jp
    yahoo.co.uk yahoo.com yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru yeah.net
    ymail.com zeelandnet.nl ziggo.nl zoho.com
    """
)
"""Providers where anyone gets an address, the large ones of Europe, America and Asia."""


def is_address(text: str) -> bool:
    """Whether a text has the form of one e-mail address."""
    return _host_of(text) is not None


def email_class(text: str, free_mail_domains: frozenset[str]) -> str:
    """Return the class of a text that stands where an address should: one of `EMAIL_CLASSES`."""
    host = _host_of(text)
    if host is None:
        return INVALID
    labels = host.split(".")
    parents = (".".join(labels[place:]) for place in range(len(labels) - 1))
    return FREE_MAIL if any(parent in free_mail_domains for parent in parents) else COMPANY


def email_country(text: str) -> str:
    """Return the country of an address by its top level: ISO 3166, "generic", or "" for no address."""
    host = _host_of(text)
    if host is None:
        return ""
    top_level = host.rpartition(".")[2]
    if len(top_level) != len("de"):
        return GENERIC
    return COUNTRY_OF_TOP_LEVEL.get(top_level, top_level.upper())


def _host_of(text: str) -> str | None:
    address = text.strip().lower()
    if len(address) > LONGEST_ADDRESS:
        return None
    found = ADDRESS.fullmatch(address)
    return None if found is None else found.group(1)
