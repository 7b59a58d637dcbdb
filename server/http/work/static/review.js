// The review page: moving among suggestions, their evidence on the page, decisions by keyboard. See docs/review.md.
import { bind, choose, onAct, send, swap, toast } from "./work.js";

const root = document.querySelector("[data-review]");
const at = (path) => `/work/review/${root.dataset.review}/${path}`;
const $ = (id) => document.getElementById(id);
const cards = () => [...document.querySelectorAll(".s")];
const current = () => document.querySelector(".s.on");
const canDecide = root.dataset.decide === "1";
let zoom = Number(localStorage.getItem("zoom") ?? 1), turned = 0, word = null;

/* Moving. The list and the page pane scroll only as far as is needed; the window never moves. */
function focus(card, { show = true } = {}) {
  if (!card) return;
  for (const other of document.querySelectorAll(".s.on")) if (other !== card) other.classList.remove("on");
  card.classList.add("on");
  card.focus({ preventScroll: true });
  near(card, card.closest(".list"));
  glow(card.id);
  const hints = card.querySelector("[data-hints]");
  if (hints && canDecide && root.dataset.specific) { delete hints.dataset.hints; swap(at(`hints?of=${encodeURIComponent(card.id)}`)); }
  const page = Number(card.dataset.page || 0);
  if (show && page && page !== pageNow()) turnTo(page); else if (show) reveal();
}
function near(one, box) {
  if (!box) return;
  const a = one.getBoundingClientRect(), b = box.getBoundingClientRect();
  if (a.top < b.top + 40) box.scrollTop += a.top - b.top - 40;
  else if (a.bottom > b.bottom - 8) box.scrollTop += Math.min(a.bottom - b.bottom + 8, a.top - b.top - 40);
}
function step(by) {
  const all = cards().filter((one) => !one.hidden);
  const index = all.indexOf(current());
  focus(all[Math.max(0, Math.min(all.length - 1, index + by))] ?? all[0]);
}
function nextOpen() {
  const all = cards(), index = all.indexOf(current());
  const next = [...all.slice(index + 1), ...all.slice(0, index)].find((one) => one.dataset.state === "suggested");
  if (next) focus(next); else focus(current());
}

/* Evidence. */
function glow(id) {
  for (const box of document.querySelectorAll(".box, mark")) box.classList.toggle("on", (box.dataset.of ?? "").split(" ").includes(id));
}
function reveal() {
  const box = document.querySelector(".box.on, mark.on"), sheet = document.querySelector(".sheet");
  if (!box || !sheet) return;
  const a = box.getBoundingClientRect(), b = sheet.getBoundingClientRect();
  if (a.top < b.top + 20 || a.bottom > b.bottom - 20) sheet.scrollTop += a.top - b.top - b.height / 3;
  if (a.left < b.left || a.right > b.right) sheet.scrollLeft += a.left - b.left - 40;
}
const pageNow = () => Number($("pane")?.dataset.page ?? 1);
const pages = () => Number($("pane")?.dataset.of ?? 1);
async function turnTo(page) {
  if (page < 1 || page > pages()) return;
  const answer = await swap(at(`page/${page}${$("pane").dataset.text ? "?text=1" : ""}`));
  if (!answer?.ok) return;
  turned = 0;
  for (const thumb of document.querySelectorAll(".thumbs a")) {
    if (Number(thumb.dataset.page) === page) thumb.setAttribute("aria-current", "page"); else thumb.removeAttribute("aria-current");
  }
  if (!current()) focus(cards().find((one) => one.dataset.state === "suggested") ?? cards()[0], { show: false });
  drawn();
}
function drawn() {
  size();
  if (current()) glow(current().id);
  reveal();
  const thumb = document.querySelector(".thumbs [aria-current]");
  if (thumb) near(thumb.closest("li"), thumb.closest(".thumbs"));
  const next = pageNow() + 1;
  if (next <= pages() && !$("pane").dataset.text) new Image().src = at(`image/${next}`);
}
function size() {
  const svg = document.querySelector(".sheet svg");
  if (!svg) return;
  const width = Number(svg.dataset.width), height = Number(svg.dataset.height), side = turned % 180 !== 0;
  svg.setAttribute("viewBox", side ? `0 0 ${height} ${width}` : `0 0 ${width} ${height}`);
  const moves = { 0: "", 90: `translate(${height} 0) rotate(90)`, 180: `translate(${width} ${height}) rotate(180)`, 270: `translate(0 ${width}) rotate(270)` };
  svg.querySelector("g").setAttribute("transform", moves[turned]);
  const room = document.querySelector(".sheet").clientWidth - 24;
  svg.setAttribute("width", Math.round(room * zoom));
  svg.setAttribute("height", Math.round(room * zoom * (side ? width / height : height / width)));
  const told = $("zoom"); if (told) told.textContent = `${Math.round(zoom * 100)} %`;
}
function zoomBy(factor) { zoom = Math.max(0.4, Math.min(4, zoom * factor)); localStorage.setItem("zoom", zoom); size(); reveal(); }
addEventListener("resize", size);

/* Words: a click finds the codes of a word, a drag picks words to add a code for. */
let words = null, from = null;
async function wordsOf(page) {
  if (words?.page === page) return words;
  const answer = await fetch(at(`words/${page}`));
  words = answer.ok ? await answer.json() : { page, words: [] };
  return words;
}
function spot(event) {
  const svg = event.target.closest(".sheet svg");
  if (!svg) return null;
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.querySelector("g").getScreenCTM().inverse());
  return { x: point.x / Number(svg.dataset.width), y: point.y / Number(svg.dataset.height) };
}
function hit(spotted, list) {
  let best = -1, least = 0.0006;
  list.forEach(([, left, top, width, height], index) => {
    const dx = Math.max(left - spotted.x, 0, spotted.x - left - width), dy = Math.max(top - spotted.y, 0, spotted.y - top - height);
    const far = dx * dx + dy * dy;
    if (far < least) { least = far; best = index; }
  });
  return best;
}
function pick(list, a, b) {
  const svg = document.querySelector(".sheet svg"), group = svg.querySelector("g");
  group.querySelectorAll(".picked").forEach((one) => one.remove());
  const [first, last] = [Math.min(a, b), Math.max(a, b)];
  for (const [, left, top, width, height] of list.slice(first, last + 1)) {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    rect.classList.add("box", "picked");
    const w = Number(svg.dataset.width), h = Number(svg.dataset.height);
    for (const [name, value] of [["x", left * w], ["y", top * h], ["width", width * w], ["height", height * h]]) rect.setAttribute(name, value);
    group.append(rect);
  }
  return list.slice(first, last + 1);
}
document.addEventListener("pointerdown", (event) => {
  if (event.button || !event.target.closest(".sheet svg")) return;
  const begun = from = { spotted: spot(event), of: event.target.dataset?.of, list: [], index: -1 };
  begun.ready = wordsOf(pageNow()).then((told) => { begun.list = told.words; begun.index = hit(begun.spotted, told.words); });
});
document.addEventListener("pointermove", (event) => {
  if (!from || from.index < 0 || !(event.buttons & 1)) return;
  const spotted = spot(event);
  const index = spotted ? hit(spotted, from.list) : -1;
  if (index >= 0 && index !== from.index) { from.moved = true; from.taken = pick(from.list, from.index, index); }
});
document.addEventListener("pointerup", async () => {
  if (!from) return;
  const done = from; from = null;
  if (done.moved && canDecide) { add(done.taken); return; }
  if (done.of) { focus($(done.of.split(" ")[0]), { show: false }); return; }
  await done.ready;
  const found = byWord(done.list[done.index]);
  if (found) focus(found, { show: false });
  else if (done.index >= 0) toast(`No code rests on “${done.list[done.index][0]}”. Drag over words to add one.`);
});
function byWord(one) {
  if (!one) return null;
  const svg = document.querySelector(".sheet svg"), x = (one[1] + one[3] / 2) * Number(svg.dataset.width), y = (one[2] + one[4] / 2) * Number(svg.dataset.height);
  for (const box of svg.querySelectorAll(".box[data-of]")) {
    const b = ["x", "y", "width", "height"].map((name) => Number(box.getAttribute(name)));
    if (x >= b[0] && x <= b[0] + b[2] && y >= b[1] && y <= b[1] + b[3]) return $(box.dataset.of.split(" ")[0]);
  }
  return null;
}
document.addEventListener("click", (event) => {
  const card = event.target.closest(".s");
  if (card && !card.classList.contains("on")) focus(card);
  const mark = event.target.closest("mark[data-of]");
  if (mark) focus($(mark.dataset.of.split(" ")[0]), { show: false });
  const thumb = event.target.closest(".thumbs a");
  if (thumb) { event.preventDefault(); turnTo(Number(thumb.dataset.page)); }
  const go = event.target.closest("[data-go]");
  if (go) { const there = $(go.dataset.go); if (there?.classList.contains("s")) focus(there); else there?.focus(); }
});

/* Decisions. Each goes out in turn; the answer replaces the card, the stops and the claim. */
async function decide(fields, { on = current(), then = nextOpen } = {}) {
  if (!canDecide) return toast("Your role reads here and decides nothing.", "bad");
  const form = $("decide");
  form.querySelectorAll(".field").forEach((one) => one.remove());
  const all = { target: on?.id ?? "", seen: on?.dataset.version ?? "", claim: $("head").dataset.claim, page: pageNow(), ...fields };
  for (const [name, value] of Object.entries(all)) for (const one of [value].flat()) {
    const field = document.createElement("input");
    field.type = "hidden"; field.className = "field"; field.name = name; field.value = one;
    form.append(field);
  }
  const held = on?.id;
  performance.mark("decided");
  const answer = await send(form);
  performance.measure("decision", "decided");
  if (held) { const again = $(held); again?.classList.add("on"); if (again) focus(again, { show: false }); }
  if (answer?.ok && !answer.headers.get("x-refused")) then?.();
}
document.addEventListener("placed", boxes);
function boxes() {
  for (const box of document.querySelectorAll(".sheet .box[data-of], .sheet mark[data-of]")) {
    const card = $(box.dataset.of.split(" ")[0]);
    if (!card) continue;
    for (const state of ["accepted", "rejected"]) box.classList.toggle(state, (state === "accepted" ? ["accepted", "added", "replaced"] : ["rejected"]).includes(card.dataset.state));
  }
}
function dialog(id) { const one = $(id); if (one && !one.open) { one.showModal(); one.querySelector("input:not([type=hidden]), button")?.focus(); } return one; }
function reject() { if (current()) dialog("reject"); }
function replace() { if (current()) lookFor("replace", ""); }
function add(taken) {
  const text = taken ? taken.map((one) => one[0]).join(" ") : "";
  word = taken ? { at_page: pageNow(), start: taken[0][5], end: taken.at(-1)[6], text, box: lines(taken) } : null;
  lookFor("add", text.replace(/[.,;:]+$/, ""));
}
/** One box around the words of each line: left,top,width,height as fractions. */
function lines(taken) {
  const found = [];
  for (const [, left, top, width, height] of taken) {
    const line = found.at(-1);
    if (line && Math.abs(line.top - top) < height * 0.6) {
      line.right = Math.max(line.right, left + width); line.bottom = Math.max(line.bottom, top + height); line.top = Math.min(line.top, top);
    } else found.push({ left, top, right: left + width, bottom: top + height });
  }
  return found.map((one) => [one.left, one.top, one.right - one.left, one.bottom - one.top].map((side) => side.toFixed(5)).join(","));
}
function lookFor(kind, text) {
  const one = dialog("search");
  one.dataset.kind = kind;
  $("search-title").textContent = kind === "replace" ? `Instead of ${current().dataset.code}` : "Add a code";
  const field = $("search-text");
  field.value = text; field.select();
  if (text) field.form.requestSubmit();
}
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id === "reject-form") {
    event.preventDefault();
    const reason = event.submitter?.value || new FormData(form).get("reason");
    $("reject").close();
    decide({ kind: "reject", reason, note: $("reject-note").value });
    $("reject-note").value = "";
  }
});
document.addEventListener("click", (event) => {
  const found = event.target.closest("[data-take]");
  if (!found) return;
  const one = $("search"), kind = one.dataset.kind;
  one.close();
  const fields = { kind, system: found.dataset.system, code: found.dataset.take };
  if (kind === "add" && word) Object.assign(fields, word);
  word = null;
  decide(fields, kind === "add" ? { on: null, then: () => focus(cards().find((c) => c.dataset.code === fields.code)) } : {});
});
document.addEventListener("keydown", (event) => {
  if ($("reject")?.open && /^[1-9]$/.test(event.key) && event.target.tagName !== "INPUT") {
    const button = $("reject").querySelectorAll("button[name=reason]")[Number(event.key) - 1];
    if (button) { event.preventDefault(); button.click(); }
  }
  if ($("search")?.open && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    const all = [$("search-text"), ...$("search").querySelectorAll("[data-take]")];
    const index = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault(); all[Math.max(0, Math.min(all.length - 1, index))].focus();
  }
  if ($("search")?.open && event.key === "Enter" && document.activeElement === $("search-text")) {
    event.preventDefault(); $("search").querySelector("[data-take]")?.click();
  }
});
document.addEventListener("click", (event) => {
  const hint = event.target.closest("[data-hint]");
  if (hint) { focus(hint.closest(".s"), { show: false }); decide({ kind: "replace", system: hint.dataset.system, code: hint.dataset.hint }, { then: null }); }
});
const undo = () => decide({ kind: "undo" }, { then: () => focus(current()) });

onAct("accept", () => decide({ kind: "accept" }));
onAct("reject", reject);
onAct("replace", replace);
onAct("add", () => add(null));
onAct("undo", undo);
onAct("principal", () => decide({ kind: "principal" }, { then: null }));
onAct("up", () => decide({ kind: "move", by: -1 }, { then: null }));
onAct("down", () => decide({ kind: "move", by: 1 }, { then: null }));
onAct("zoom-in", () => zoomBy(1.2));
onAct("zoom-out", () => zoomBy(1 / 1.2));
onAct("turn", () => { turned = (turned + 90) % 360; size(); reveal(); });
onAct("text", async () => { await swap(at(`page/${pageNow()}${$("pane").dataset.text ? "" : "?text=1"}`)); drawn(); });
onAct("next-page", () => turnTo(pageNow() + 1));
onAct("former-page", () => turnTo(pageNow() - 1));
onAct("finish", () => $("finish")?.requestSubmit());
onAct("doubtful", async () => { const answer = await swap(at(`doubtful/${pageNow()}`)); if (answer?.ok) dialog("words"); });
onAct("pend", () => dialog("pend"));
onAct("ask", () => dialog("ask"));

bind("next", "j", "Next suggestion", () => step(1));
bind("former", "k", "Suggestion before", () => step(-1));
bind("open", "o", "Next that is undecided", nextOpen);
bind("accept", "a", "Accept", () => decide({ kind: "accept" }));
bind("reject", "r", "Reject, with a reason (1 to 8)", reject);
bind("replace", "e", "Replace by another code", replace);
bind("search", "/", "Search for a code to add", () => add(null));
bind("undo", "u", "Undo the last decision", undo);
bind("next-page", "n", "Next page", () => turnTo(pageNow() + 1));
bind("former-page", "p", "Page before", () => turnTo(pageNow() - 1));
bind("principal", "1", "Make it the principal diagnosis", () => decide({ kind: "principal" }, { then: null }));
bind("up", "K", "Move up in the claim's order", () => decide({ kind: "move", by: -1 }, { then: null }));
bind("down", "J", "Move down in the claim's order", () => decide({ kind: "move", by: 1 }, { then: null }));
bind("zoom-in", "+", "Larger page", () => zoomBy(1.2));
bind("zoom-out", "-", "Smaller page", () => zoomBy(1 / 1.2));
bind("turn", "w", "Turn the page by a quarter", () => acts("turn"));
bind("text", "t", "Page as image or as text", () => acts("text"));
bind("doubtful", "h", "Words that were hard to read", () => acts("doubtful"));
bind("tab", "c", "Next tab of the claim", () => {
  const all = [...document.querySelectorAll("#claim [role=tab]")];
  const index = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  if (all.length) choose(all[(index + 1) % all.length]);
});
bind("pend", "d", "Put aside, with a reason", () => dialog("pend"));
bind("ask", "q", "Ask the physician", () => dialog("ask"));
bind("finish", "s", "Finish: the claim is ready", () => $("finish")?.requestSubmit());
function acts(name) { document.querySelector(`[data-act=${name}]`)?.click(); }

/* What is there when the claim's tabs are asked for is fetched once. */
document.addEventListener("tab", (event) => {
  const panel = $(event.detail);
  if (panel?.dataset.href) swap(panel.dataset.href);
});
drawn();
focus(cards().find((one) => one.dataset.state === "suggested") ?? cards()[0], { show: false });
glow(current()?.id);
