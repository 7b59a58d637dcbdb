"""Units of measure by the grammar and the table of UCUM."""

from __future__ import annotations

from decimal import Decimal

import pytest

from terminology import ucum
from terminology.ucum.atoms import table
from tests.support.clock import within

VALID = """
    mg g kg ug ng pg fg t mg/dL mg/dl g/L g/dL g% ug/mL ng/mL pg/mL mmol/L umol/L nmol/L pmol/L mol/mol mmol/mol
    meq/L eq/L mosm/kg mm[Hg] cm[H2O] kPa Pa [psi] atm bar [in_i'Hg] cm m mm um nm [in_i] [ft_i] [mi_i] [lb_av]
    [oz_av] [gr] [stone_av] L l mL dL uL fL pL [foz_us] [tsp_us] [tbs_us] [cup_us] [gal_us] [drp] s min h d wk mo a
    ms us ns /min /h /d {beats}/min {breaths}/min Cel [degF] K [degR] [degRe] % [pH] 10*9/L 10*12/L 10*3/uL 10*6/uL
    10^9/L 10*-3 [ppm] [ppb] [iU] [iU]/L m[iU]/mL k[iU]/L [IU]/mL U/L mU/mL kat ukat/L [CFU]/mL [beth'U] [arb'U]
    [GPL'U] [MPL'U] [tb'U] {score} {INR} {ratio} {#}/uL /[HPF] /[LPF] /uL mL/min mL/min/{1.73_m2} mL/min/1.73.m2
    mg/kg/h ug/kg/min mg/(24.h) mg/{24.h} g/(12.h) 24.h 10.L/min dyn.s/cm5 dyn.s.cm-5 mm[Hg]/(L/min) [PRU] [wood'U]
    [MET] kcal cal J kJ W mW V mV uV A mA Hz kHz MHz Ohm S F T Gy mGy Sv mSv Bq MBq Ci mCi R REM RAD lm lx cd rad
    deg ' '' sr circ dB B B[SPL] dB[SPL] Np bit By KiBy MiBy Bd bit_s [diop] [p'diop] %[slope] [hnsf'U] [Ch] [S]
    [hp_X] [hp'_X] [kp_C] m2 m3 m-1 m+2 kg/m2 kg.m/s2 (kg.m)/s2 ((m)) (m/s){net} m{length}/s{time} 1 100 2.m 1/d
    [m/s2/Hz^(1/2)] [FEU] B[10.nV] ug{FEU}/mL g/g{creat} mg/mg{creat} %{vol} [anti'Xa'U]/mL daL dar mol{x}
    [Amb'a'1'U] [D'ag'U] nL/s mm2 %[slope] [pi].rad
"""

INVALID = [
    "", " ", "mcg", "µg", "cc", "mmHg", "mg / dL", "mg /dL", "bpm", "IU", "IU/L", "lb", "lbs", "in", "inches",
    "degF", "°C", "C/F/", "/", "//m", "m//s", "m.", ".m", "m..s", "m/", "(m", "m)", "()", "{", "}", "{a", "a}",
    "{a}{b}", "{é}", "{a b}", "{{a}}", "m^2", "m**2", "2m", "10x", "kmin", "k[in_i]", "m%", "kg2m", "[foo]", "[",
    "]", "[]", "mm[Hg", "mm Hg", "x10E3/uL", "10E9/L", "K/uL ", "0", "0.m", "m100", "10*999", "m0", "mg%x", "mmol\\L",
    "Torr", "hour", "Kg", "sec", "week", "months", "yr", "mEq/L", "mOsm", "(((", "mg/dL\n", "kkg", "dag2{", "-m",
]  # fmt: skip

CANONICAL = """
    72.50 mg 0.0725 g | 1 kg 1000 g | 2.5 ug 0.0000025 g | 1 t 1000000 g | 90 mg/dL 900 g.m-3 | 0.9 g/L 900 g.m-3 |
    0.09 g% 900 g.m-3 | 120 mm[Hg] 15998640 g.m-1.s-2 | 16 kPa 16000000 g.m-1.s-2 | 1 [ft_i] 0.3048 m |
    1 [in_i] 0.0254 m | 1 [lb_av] 453.59237 g | 1 L 0.001 m3 | 1 l 0.001 m3 | 60 /min 1 s-1 |
    72 {beats}/min 1.2 s-1 | 1 Hz 1 s-1 | 1 a 31557600 s | 2 wk 1209600 s | 37 Cel 310.15 K | 98.6 [degF] 310.15 K |
    -40 [degF] 233.15 K | -40 Cel 233.15 K | 37000 mCel 310.15 K | 0 [degRe] 273.15 K |
    1 [degR] 0.5555555555555555555555555555555555555556 K | 50 % 0.5 1 | 5 10*9/L 5E12 m-3 | 5000 /uL 5E12 m-3 |
    5 10*3/uL 5E12 m-3 | 1 mol 6.02214076E23 1 | 140 mmol/L 8.4309970640E25 m-3 | 140 meq/L 8.4309970640E25 m-3 |
    5 [iU]/L 5000 m-3.[iU] | 5 m[IU]/mL 5000 m-3.[iU] | 3 [PFU] 3 [PFU] | 7 [pH] 6.02214076E19 m-3 | 2 B 100 1 |
    20 dB 100 1 | 2 B[W] 100000 g.m2.s-3 | 3 bit_s 8 1 | 6 [hp'_X] 0.000001 1 | 3 {score} 3 1 | 7 1 7 1 |
    1 24.h 86400 s | 2 mg/(24.h) 2.314814814814814814814814814814814814815E-8 g.s-1 | 1 N 1000 g.m.s-2 |
    25 kg/m2 25000 g.m-2 | 1 By 8 1 | 1 KiBy 8192 1 | 2 [m/s2/Hz^(1/2)] 4 m2.s-3 | 0 Np 1 1 | 0 %[slope] 0 rad |
    1 [Cal] 4184000 g.m2.s-2 | 0 mg 0 g
"""

CONVERTED = """
    180 [lb_av] 81.6466266 kg | 98.6 [degF] 37 Cel | 37 Cel 98.6 [degF] | 0 K -273.15 Cel | 1 mol/L 0 [pH] |
    10 dB 1 B | 100 1 20 dB | 1 g/dL 10 mg/mL | 5.5 mmol/L 5500 umol/L | 1 [gal_us] 128 [foz_us] |
    760 mm[Hg] 101.32472 kPa | 1 a 365.25 d | 16 [in_i] 40.64 cm | 64 1 6 bit_s | 9 m2/s3 3 [m/s2/Hz^(1/2)] |
    10 mL 10 mL | 1 [iU] 0.001 k[iU] | 3 /min 180 /h
"""

APART = """
    mg mL | mg/dL mmol/L | [iU] U | [iU] [arb'U] | [PFU] [CFU] | mg nonsense | Cel m | Cel/min K/min | [iU]/L /L |
    rad 1 | Cel2 K2
"""


def rows(text: str) -> list[list[str]]:
    """The rows of a table: parted by |, their cells by blanks."""
    return [row.split() for row in text.split("|")]


@pytest.mark.parametrize("code", VALID.split())
def test_a_code_of_ucum_is_valid(code: str) -> None:
    """What the grammar and the table allow is a unit."""
    assert ucum.is_valid(code)


@pytest.mark.parametrize("code", INVALID)
def test_another_code_is_not(code: str) -> None:
    """Local spellings, blanks, broken brackets and unknown atoms are no units and have no value."""
    assert not ucum.is_valid(code)
    assert ucum.canonical(Decimal(1), code) is None


@pytest.mark.parametrize(("value", "code", "number", "base"), rows(CANONICAL))
def test_canonical(value: str, code: str, number: str, base: str) -> None:
    """A quantity in base units is exact to the last digit."""
    assert ucum.canonical(Decimal(value), code) == (Decimal(number), base)


@pytest.mark.parametrize(("value", "source", "number", "target"), rows(CONVERTED))
def test_convert(value: str, source: str, number: str, target: str) -> None:
    """A quantity in another unit is exact, over offsets and levels too."""
    assert ucum.convert(Decimal(value), source, target) == Decimal(number)
    assert ucum.comparable(source, target)


@pytest.mark.parametrize(("a", "b"), rows(APART))
def test_what_cannot_be_converted(a: str, b: str) -> None:
    """Other dimensions, arbitrary units and special units in products are not comparable."""
    assert not ucum.comparable(a, b)
    assert ucum.convert(Decimal(1), a, b) is None


def test_every_atom_has_a_meaning() -> None:
    """All atoms of the table reduce to base units, alone and with a prefix where they take one."""
    for code, atom in table().atoms.items():
        assert ucum.canonical(Decimal(1), code), code
        assert ucum.is_valid(f"k{code}") == (atom.metric or f"k{code}" in table().atoms), code


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1e-400", "1" * 2000])
def test_numbers_that_are_no_measurements(number: str) -> None:
    """Numbers that are not finite, huge or endless are refused rather than computed."""
    assert ucum.canonical(Decimal(number), "mg") is None


@pytest.mark.parametrize(
    ("number", "code"),
    [("1e9", "B"), ("-1e9", "[pH]"), ("1e9", "Np"), ("1e300", "km"), ("1e250", "bit_s"), ("1e300", "10*99.%[slope]")],
)
def test_results_that_are_too_large(number: str, code: str) -> None:
    """A result beyond any measurement is refused rather than computed."""
    assert ucum.canonical(Decimal(number), code) is None


@pytest.mark.parametrize(
    "code",
    ["(" * 5000, "(" * 100 + "m" + ")" * 100, "m." * 5000, "{" + "a" * 10**6 + "}", "10*99." * 30 + "1", "9" * 10**6,
     "[" * 10**6, "/".join(["m"] * 90), "m" + "9" * 10**5],
)  # fmt: skip
def test_hostile_codes_are_answered_at_once(code: str) -> None:
    """Length and depth are bounded: no code costs more than a moment."""
    with within(10):
        ucum.canonical(Decimal("1.5"), code)
