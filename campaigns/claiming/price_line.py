"""The price of one line with Decimals, as far as it does not depend on other lines."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

Row = dict[str, Any]
Rows = dict[str, list[Row]]
D = Decimal
STATUS_REASONS = "BCEIMNPX"
PAYS = ("A", "R", "T")
CENT = D("0.01")
ROLE = {"62": D("0.625"), "80": D("0.16"), "81": D("0.16"), "82": D("0.16"), "AS": D("0.136")}
APM_DAY = 20_454


class Answer(NamedTuple):
    """What a line gets; amounts in cents, None where there is no price."""

    why: str
    allowed: int | None = None
    payable: int | None = None
    limit: int | None = None


class Refusal(Exception):
    """There is no price, for this reason."""


class Book:
    """Tables as lists of rows, looked through from the first."""

    def __init__(self, rows: Rows) -> None:
        self.index: dict[tuple[str, tuple[Any, ...]], list[Row]] = {}
        self.keys = {
            "rvu": ("code", "modifier"), "gpci": ("carrier", "locality"), "factor": ("kind",), "zip": ("zip",),
            "anaesthesia_factor": ("carrier", "locality"), "pos": ("code",), "anaesthesia": ("code",),
            "drug_price": ("code",), "lab_price": ("code", "modifier"), "registered": ("npi", "tax"),
        }  # fmt: skip
        for name, listed in rows.items():
            for row in listed:
                self.index.setdefault((name, tuple(row[k] for k in self.keys[name])), []).append(row)

    def get(self, name: str, day: int | None, *key: Any) -> Row | None:
        """The row of a key on a day."""
        for row in self.index.get((name, key), []):
            if (row.get("start") or 0) <= (day or 0) <= (row.get("end") or 10**9):
                return row
        return None


def whole_number(value: float | None) -> bool:
    """Units that can be billed."""
    return value is not None and 0 < value <= 999_999 and value == int(value)


def cents(amount: Decimal) -> int:
    """Dollars as cents, half a cent up."""
    return int(amount.quantize(CENT, ROUND_HALF_UP) * 100)


class Line:
    """One line while it is reckoned."""

    def __init__(self, claim: Row, line: Row, book: Book) -> None:
        self.claim, self.line, self.book = claim, line, book
        self.mods: list[str] = line["mods"]
        self.day = line["start"] if line["start"] is not None else claim["start"]
        self.why = ""
        self.units = 1
        self.units_paid: list[Decimal] = []  # the fee that each unit stands at after reductions because of others
        self.method = ""
        self.component = next((m for m in ("26", "TC", "53") if m in self.mods), "")
        try:
            self.begin()
        except Refusal as reason:
            self.why = str(reason)

    def row(self, modifier: str, code: str | None = None) -> Row | None:
        """A row of the physician fee schedule."""
        return self.book.get("rvu", self.day, code or self.line["code"], modifier)

    def begin(self) -> None:
        """Everything that does not depend on other lines."""
        if self.claim["type"] not in (None, "professional", "vision"):
            raise Refusal("kind")
        if self.line["code"] is None:
            raise Refusal("code")
        if self.day is None:
            raise Refusal("day")
        self.choose()
        if self.method != "anaesthesia":
            if not whole_number(self.line["units"]):
                raise Refusal("units")
            self.units = int(self.line["units"])
        if self.method == "physician":
            self.check_modifiers()
            self.place()
            self.fees()
            self.both_sides()
            if cents_down(max(self.fee, self.reading or D(0), self.technical or D(0))) > 100_000_000 // self.units:
                raise Refusal("units")
        elif self.method == "anaesthesia":
            self.anaesthesia()

    def choose(self) -> None:
        """By which schedule the line is priced."""
        own, plain = self.row(self.component), self.row("")
        found = own or plain
        status = found["status"] if found else None
        if status in PAYS:
            self.method = "physician"
            if own is None:
                raise Refusal("by-report" if self.component == "53" else "component")
            self.rvu = own
            return
        code = self.line["code"]
        if self.book.get("anaesthesia", self.day, code):
            self.method = "anaesthesia"
        elif drug := self.book.get("drug_price", self.day, code):
            self.method, self.listed = "drug", D(drug["price"]) / 1000
        elif lab := (
            self.book.get("lab_price", self.day, code, "QW" if "QW" in self.mods else "")
            or self.book.get("lab_price", self.day, code, "")
        ):
            self.method, self.listed = "laboratory", D(lab["price"]) / 100
        elif status == "J":
            self.method = "anaesthesia"
        elif status is None:
            raise Refusal("row")
        else:
            raise Refusal(f"status-{status}" if status in STATUS_REASONS else "status")

    def check_modifiers(self) -> None:
        """What modifiers forbid, and the shares of the fee that they leave."""
        has = set(self.mods)
        for group in (("26", "TC", "53"), ("54", "55", "56", "78"), tuple(ROLE)):
            if len(has & set(group)) > 1:
                raise Refusal("modifiers")
        if has & {"22", "52", "66"}:
            raise Refusal("by-report")
        if has & {"CQ", "CO", "FX", "FY", "CT"}:
            raise Refusal("unreckoned")
        pre, intra, post = (D(self.rvu[name]) / 100 for name in ("pre", "intra", "post"))
        if pre + intra + post == 0 and has & {"54", "55", "56"}:
            raise Refusal("split")
        if has & {"80", "81", "82", "AS"} and self.rvu["assistant"] not in ("0", "2"):
            raise Refusal("assistant")
        if "62" in has and self.rvu["cosurgeon"] not in ("1", "2"):
            raise Refusal("co-surgeon")
        self.share = D(1)
        if "54" in has:
            self.share = pre + intra
        if "55" in has:
            self.share = post
        if "56" in has:
            self.share = pre
        if "78" in has and pre + intra + post != 0:
            self.share = intra
        for name, part in ROLE.items():
            if name in has:
                self.share *= part

    def locality(self) -> Row:
        """Carrier and locality of the place of service."""
        line, claim = self.line, self.claim
        zips = [line["service_zip"], claim["patient_zip"] if line["pos"] == "12" else None,
                claim["facility_zip"], claim["provider_zip"]]  # fmt: skip
        known = [z for z in zips if z is not None]
        if not known:
            raise Refusal("zip")
        found = self.book.get("zip", self.day, known[0][:5])
        if found is None:
            raise Refusal("locality")
        return found

    def place(self) -> None:
        """Setting, indices, conversion factor."""
        place = self.book.get("pos", self.day, self.line["pos"])
        if place is None or place["facility"] is None:
            raise Refusal("pos")
        self.setting = "facility" if place["facility"] else "nonfacility"
        at = self.locality()
        gpci = self.book.get("gpci", self.day, at["carrier"], at["locality"])
        if gpci is None:
            raise Refusal("gpci")
        self.gpci = {name: D(gpci[name]) / 1000 for name in ("work", "pe", "mp")}
        wanted = "apm" if self.claim["qualifying_apm"] else "standard"
        factor = self.book.get("factor", self.day, wanted)
        if factor is None and self.day < APM_DAY:
            factor = self.book.get("factor", self.day, "standard")
        if factor is None:
            raise Refusal("factor")
        self.factor = D(factor["value"]) / 10_000

    def amount(self, row: Row) -> Decimal:
        """RVUs times indices times factor."""
        work, mp = D(row["work"]) / 100, D(row["mp"]) / 100
        pe = D(row[f"pe_{self.setting}"]) / 100
        return (work * self.gpci["work"] + pe * self.gpci["pe"] + mp * self.gpci["mp"]) * self.factor

    def cap(self, row: Row) -> Decimal | None:
        """The hospital outpatient amount of a technical row."""
        pe, mp = D(row.get(f"opps_{self.setting}") or 0) / 100, D(row.get("opps_mp") or 0) / 100
        if pe == 0 and mp == 0:
            return None
        return (pe * self.gpci["pe"] + mp * self.gpci["mp"]) * self.factor

    def fees(self) -> None:
        """The fee, and its parts where they matter: reading, technical part, cap of the technical part."""
        kind, policy = self.rvu["pctc"], self.rvu["multiple"]
        self.reading: Decimal | None = None
        self.technical: Decimal | None = None
        self.top: Decimal | None = None
        self.fee = self.amount(self.rvu)
        if self.component == "TC" or (self.component == "" and kind == "3"):
            self.technical, self.top = self.fee, self.cap(self.rvu)
            self.fee = self.lower(self.fee)
        elif self.component == "26" or (self.component == "" and kind == "2"):
            self.reading = self.fee
        elif self.component == "" and kind == "1":
            pc, tc = self.row("26"), self.row("TC")
            top = self.cap(tc) if tc else None
            reducible = policy in ("6", "7") or (policy == "4" and self.rvu["family"] == "88")
            if top is None and not reducible:
                return
            if pc is None or tc is None or pc["status"] not in PAYS or tc["status"] not in PAYS:
                raise Refusal("parts")
            self.reading, self.technical, self.top = self.amount(pc), self.amount(tc), top
            if top is not None:
                self.fee = self.reading + self.lower(self.technical)

    def lower(self, technical: Decimal) -> Decimal:
        """A technical part, capped."""
        return technical if self.top is None else min(technical, self.top)

    def both_sides(self) -> None:
        """Modifier 50."""
        self.sides = D(1)
        if "50" in self.mods:
            indicator = self.rvu["bilateral"]
            if indicator == "9":
                raise Refusal("bilateral")
            if indicator == "1":
                self.sides = D("1.5")
            if indicator == "3":
                self.units *= 2

    def anaesthesia(self) -> None:
        """Base and time units."""
        at_error = ""
        try:
            at = self.locality()
        except Refusal as reason:
            at_error = str(reason)
        if at_error:
            raise Refusal(at_error)
        has = set(self.mods)
        row = self.book.get("anaesthesia", self.day, self.line["code"])
        if "AD" not in has and (row is None or not row["units"]):
            raise Refusal("anaesthesia")
        if len(has & {"AA", "QZ", "AD", "QK", "QX", "QY"}) != 1:
            raise Refusal("anaesthetist")
        minutes = self.line["minutes"]
        timeless = "AD" in has or self.line["code"] in ("01995", "01996")
        if not timeless and minutes is None:
            raise Refusal("minutes")
        if minutes is not None and minutes > 10_000:
            raise Refusal("units")
        time = D(0) if timeless else (D(minutes) / 15).quantize(D("0.1"), ROUND_HALF_UP)
        base = D(3) if "AD" in has else D(row["units"] if row else 0)
        factor = self.book.get("anaesthesia_factor", self.day, at["carrier"], at["locality"])
        if factor is None:
            raise Refusal("anaesthesia_factor")
        value = factor["value"]
        if self.claim["qualifying_apm"] and self.day >= APM_DAY:
            value = factor["apm"]
        if value is None:
            raise Refusal("anaesthesia_factor")
        self.share = D("0.5") if has & {"QK", "QX", "QY"} else D(1)
        self.units_paid = [(base + time) * D(value) / 10_000]

    def live(self, *policies: str) -> bool:
        """Whether the line is still to be paid by the physician schedule under one of these indicators."""
        return self.method == "physician" and not self.why and self.rvu["multiple"] in policies

    def answer(self) -> Answer:
        """The sums of the line."""
        if self.why:
            return Answer(self.why)
        if self.method in ("drug", "laboratory"):
            allowed = cents(self.listed * self.units)
            return Answer("", allowed, self.payable(allowed))
        participating = self.claim["participating"]
        if participating is None:
            known = self.book.get(
                "registered", self.claim["first_service"], self.claim["provider_npi"], self.claim["provider_tax"]
            )
            participating = known["participating"] if known else True
        part = D(1) if participating else D("0.95")
        allowed = sum(cents(unit * self.share * part) for unit in self.units_paid)
        limit = None if participating else sum(cents(unit * self.share * D("1.0925")) for unit in self.units_paid)
        return Answer("", allowed, self.payable(allowed), limit)

    def payable(self, allowed: int) -> int:
        """The lower of charge and fee."""
        charge = self.line["charge"]
        return allowed if charge is None else min(allowed, charge)


def cents_down(amount: Decimal) -> int:
    """Whole cents, cut off."""
    return int(amount * 100)
