"""Whose public holidays can be named: countries, their regions, and the kinds of days beyond the public ones.

A table of names only, so that a typing error is found without anything installed; the dates themselves are
looked up by the service (`serving.public_holidays`) and frozen in the policy. A test holds it against the
`holidays` package, from which it was written. Kinds that are working days or halves of days are left out.
"""

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class HolidayNames:
    """The regions and kinds of holidays one country has."""

    regions: tuple[str, ...]
    kinds: tuple[str, ...]


def holiday_countries() -> tuple[str, ...]:
    """Return the ISO 3166 codes of all countries of the table."""
    return tuple(code for code, _names in _rows())


def holiday_names(country: str) -> HolidayNames | None:
    """Return the regions and kinds of a country, or None for one the table does not have."""
    return next((names for code, names in _rows() if code == country), None)


@cache
def _rows() -> tuple[tuple[str, HolidayNames], ...]:
    lines = _TABLE.replace("\n    ", " ").strip().splitlines()
    return tuple(_row(line) for line in lines)


def _row(line: str) -> tuple[str, HolidayNames]:
    country, _, rest = line.partition(":")
    regions, _, kinds = rest.partition("/")
    return country, HolidayNames(_names(regions), _names(kinds))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


_TABLE = """
AD: 02, 03, 04, 05, 06, 07, 08 / government
AE:  / government, optional
AF:  /
AG:  /
AI:  /
AL:  /
AM: AG, AR, AV, ER, GR, KT, LO, SH, SU, TV, VD /
AO:  /
AQ:  /
AR: A, B, C, D, E, F, G, H, J, K, L, M, N, P, Q, R, S, T, U, V, W, X, Y, Z / armenian, bank, government,
    hebrew, islamic
AS:  /
AT: 1, 2, 3, 4, 5, 6, 7, 8, 9 / bank, protestant
AU: ACT, NSW, NSW Western, NT, QLD, SA, TAS, VIC, WA / bank
AW:  /
AX:  /
AZ:  /
BA: BIH, BRC, SRP /
BB:  /
BD:  /
BE: Flemish, French, German / bank
BF:  /
BG:  /
BH:  /
BI:  /
BJ:  /
BL:  /
BM:  /
BN:  /
BO: B, C, H, L, N, O, P, S, T /
BQ: BON, SAB, STA /
BR: AC, AL, AM, AP, BA, CE, DF, ES, GO, MA, MG, MS, MT, PA, PB, PE, PI, PR, RJ, RN, RO, RR, RS, SC, SE,
    SP, São Paulo Capital, TO / optional
BS:  /
BT: 11, 12, 13, 14, 15, 21, 22, 23, 24, 31, 32, 33, 34, 41, 42, 43, 44, 45, GA, TY /
BV:  /
BW:  /
BY:  /
BZ:  /
CA: AB, BC, MB, NB, NL, NS, NT, NU, ON, PE, QC, SK, YT / government, optional
CC:  /
CD:  /
CF:  /
CG:  /
CH: AG, AI, AR, BE, BL, BS, FR, GE, GL, GR, JU, LU, NE, NW, OW, SG, SH, SO, SZ, Stadt Zurich, TG, TI,
    UR, VD, VS, ZG, ZH / de_facto, optional
CI:  /
CK:  /
CL: AI, AN, AP, AR, AT, BI, CO, LI, LL, LR, MA, ML, NB, RM, TA, VS / bank
CM:  /
CN:  /
CO:  /
CR:  / optional
CU:  /
CV: BR, BV, CA, CF, CR, MA, MO, PA, PN, PR, RB, RG, RS, SD, SF, SL, SM, SO, SS, SV, TA, TS / optional
CW:  /
CX:  /
CY:  / bank, optional
CZ:  /
DE: Augsburg, BB, BE, BW, BY, HB, HE, HH, MV, NI, NW, RP, SH, SL, SN, ST, TH / catholic
DJ:  /
DK:  / optional
DM:  /
DO:  /
DZ:  / christian, hebrew
EC:  /
EE:  /
EG:  / government
EH:  /
ER:  / government
ES: AN, AR, AS, Barcelona, CB, CE, CL, CM, CN, CT, EX, GA, IB, MC, MD, ML, NC, PV, RI, VC /
ET:  /
FI: 01, 02, 03, 04, 05, 06, 07, 08, 09, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 /
FJ:  /
FK:  / government
FM: KSA, PNI, TRK, YAP /
FO:  /
FR: 57, 6AE, 971, 972, 973, 974, 976, BL, MF, NC, PF, PM, TF, WF, Zone A, Zone B, Zone C /
GA:  /
GB: ENG, NIR, SCT, WLS /
GD:  /
GE:  /
GF:  /
GG:  /
GH:  /
GI:  /
GL:  / optional
GM:  /
GN:  /
GP:  /
GQ: AN, BN, BS, CS, DJ, KN, LI, WN /
GR:  /
GS:  /
GT:  /
GU:  /
GW:  /
GY:  /
HK:  / optional
HM:  /
HN:  /
HR:  /
HT:  / optional
HU:  /
ID:  / government
IE:  / optional
IL:  / optional
IM:  /
IN: AN, AP, AR, AS, BR, CG, CH, DH, DL, GA, GJ, HP, HR, JH, JK, KA, KL, LA, LD, MH, ML, MN, MP, MZ, NL,
    OD, PB, PY, RJ, SK, TN, TR, TS, UK, UP, WB / government, optional, optional_women
IO:  /
IQ:  / christian, hebrew, sabian, yazidi
IR:  /
IS:  /
IT: AG, AL, AN, AO, AP, AQ, AR, AT, AV, Andria, BA, BG, BI, BL, BN, BO, BR, BS, BT, BZ, Barletta, CA,
    CB, CE, CH, CL, CN, CO, CR, CS, CT, CZ, Cesena, EN, FC, FE, FG, FI, FM, FR, Forli, GE, GO, GR, IM,
    IS, KR, LC, LE, LI, LO, LT, LU, MB, MC, ME, MI, MN, MO, MS, MT, NA, NO, NU, OR, PA, PC, PD, PE, PG,
    PI, PN, PO, PR, PT, PU, PV, PZ, Pesaro, RA, RC, RE, RG, RI, RM, RN, RO, SA, SI, SO, SP, SR, SS, SU,
    SV, TA, TE, TN, TO, TP, TR, TS, TV, Trani, UD, Urbino, VA, VB, VC, VE, VI, VR, VT, VV /
JE:  /
JM:  /
JO:  /
JP:  / bank
KE:  / hindu, islamic
KG:  /
KH:  /
KI:  /
KM:  /
KN:  /
KP:  /
KR:  / bank
KW:  /
KY:  /
KZ:  /
LA:  / bank
LB:  / bank, government
LC:  /
LI:  / bank
LK:  / bank, government
LR:  /
LS:  /
LT:  /
LU:  / bank
LV:  /
LY:  /
MA:  /
MC:  /
MD:  /
ME:  / catholic, hebrew, islamic, orthodox
MF:  /
MG:  /
MH:  /
MK:  / albanian, bosnian, catholic, hebrew, islamic, orthodox, roma, serbian, turkish, vlach
ML:  /
MM:  /
MN:  /
MO: I, M / government, optional
MP:  /
MQ:  /
MR:  /
MS:  /
MT:  /
MU:  /
MV:  /
MW:  /
MX:  /
MY: 01, 02, 03, 04, 05, 06, 07, 08, 09, 10, 11, 12, 13, 14, 15, 16 /
MZ:  /
NA:  /
NC:  /
NE:  / optional
NF:  /
NG:  /
NI: AN, AS, BO, CA, CI, CO, ES, GR, JI, LE, MD, MN, MS, MT, NS, RI, SJ /
NL: Midden, Noord, Zuid / optional
NO: 03, 11, 15, 18, 21, 22, 31, 32, 33, 34, 39, 40, 42, 46, 50, 55, 56 /
NP:  /
NR:  /
NU:  /
NZ: AUK, BOP, CAN, CIT, GIS, HKB, MBH, MWT, NSN, NTL, OTA, STL, South Canterbury, TAS, TKI, WGN, WKO,
    WTC /
OM:  /
PA:  / bank
PE:  /
PF:  /
PG:  /
PH:  /
PK:  /
PL: 02, 04, 06, 08, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32 /
PM:  /
PN:  / government
PR:  / government
PS:  / catholic, orthodox
PT: 01, 02, 03, 04, 05, 06, 07, 08, 09, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 30 / optional
PW:  / armed_forces
PY:  / government
QA:  / bank
RE:  /
RO:  /
RS:  /
RU:  /
RW:  /
SA:  /
SB: CE, CH, CT, GU, IS, MK, ML, RB, TE, WE /
SC:  /
SD:  /
SE:  / bank, de_facto, optional
SG:  /
SH: AC, HL, TA / government
SI:  /
SJ:  /
SK:  /
SL:  /
SM:  / bank
SN:  /
SO:  /
SR:  /
SS:  / islamic
ST: 01, 02, 03, 04, 05, 06, P /
SV: AH, CA, CH, CU, LI, MO, PA, SA, SM, SO, SS, SV, UN, US /
SX:  /
SY:  /
SZ:  /
TC:  /
TD:  /
TF:  /
TG:  /
TH:  / armed_forces, bank, government
TJ:  /
TK:  /
TL:  / government
TM:  /
TN:  /
TO:  /
TR:  /
TT:  / optional
TV: FUN, NIT, NKF, NKL, NMA, NMG, NUI, VAI /
TW:  / government, optional
TZ:  / bank
UA:  /
UG:  /
UM:  /
US: AK, AL, AR, AS, AZ, CA, CO, CT, DC, DE, FL, GA, GU, HI, IA, ID, IL, IN, KS, KY, LA, MA, MD, ME, MI,
    MN, MO, MP, MS, MT, NC, ND, NE, NH, NJ, NM, NV, NY, OH, OK, OR, PA, PR, RI, SC, SD, TN, TX, UM, UT,
    VA, VI, VT, WA, WI, WV, WY / government
UY:  / bank
UZ:  /
VA:  /
VC:  /
VE:  /
VG:  /
VI:  /
VN:  /
VU:  /
WF:  /
WS:  /
XK:  /
YE:  /
YT:  /
ZA:  /
ZM:  /
ZW:  /
"""
"""Country: regions / kinds. Codes of regions are those of ISO 3166-2, without the country."""
