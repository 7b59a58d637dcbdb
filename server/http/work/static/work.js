// Swap of parts of a page, polling, keyboard and small things that every page shares. No other script is loaded.

/** Put elements of an answer in the place of those with the same ids; focus, caret and scrolling stay. */
export function place(html) {
  const made = new DOMParser().parseFromString(html, "text/html");
  const held = document.activeElement?.id;
  const at = { x: scrollX, y: scrollY };
  for (const fresh of [...made.body.children]) {
    const old = fresh.id && document.getElementById(fresh.id);
    if (!old) continue;
    const tops = [...old.querySelectorAll("[data-keep-scroll][id]"), ...(old.matches("[data-keep-scroll]") ? [old] : [])].map((one) => [one.id, one.scrollTop]);
    old.replaceWith(fresh);
    for (const [id, top] of tops) { const again = document.getElementById(id); if (again) again.scrollTop = top; }
  }
  if (held && document.activeElement === document.body) document.getElementById(held)?.focus({ preventScroll: true });
  if (scrollX !== at.x || scrollY !== at.y) scrollTo(at.x, at.y);
  document.dispatchEvent(new CustomEvent("placed"));
}

/** Ask for parts and place them; what was refused becomes a toast. The answer, or null. */
export async function swap(url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, { credentials: "same-origin", redirect: "follow", ...options, headers: { "x-fhirwright-swap": "1", ...(options.headers ?? {}) } });
  } catch {
    toast("The server cannot be reached. Nothing was lost on this page; try again.", "bad");
    return null;
  }
  if (answer.status === 401) { location.href = `/auth/sign-in?then=${encodeURIComponent(location.pathname)}`; return null; }
  const html = await answer.text();
  const goTo = answer.headers.get("x-go-to");
  if (goTo) { location.href = goTo; return answer; }
  if (!answer.ok) {
    const told = new DOMParser().parseFromString(html, "text/html").querySelector("[role=alert]")?.textContent;
    toast(told || `The server answered ${answer.status}.`, "bad");
    return answer;
  }
  place(html);
  const said = answer.headers.get("x-toast");
  if (said) toast(decodeURIComponent(said), answer.headers.get("x-refused") ? "bad" : "");
  return answer;
}

/** A short message. */
export function toast(text, kind = "") {
  const box = document.getElementById("toasts");
  const one = document.createElement("div");
  one.className = `toast ${kind}`;
  one.append(text);
  while (box.children.length > 2) box.firstChild.remove();
  box.append(one);
  setTimeout(() => one.remove(), kind === "bad" ? 9000 : 5000);
}

let line = Promise.resolve();
/** Send a form and place the answer, one after the other, so that fast keys never race; the answer, or null. */
export function send(form, submitter = null) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const get = form.method === "get";
  const url = get ? `${form.action}?${body}` : form.action;
  form.classList.add("busy");
  line = line.then(() => swap(url, get ? {} : { method: "POST", body }));
  line.finally(() => form.classList.remove("busy"));
  if (get && form.dataset.swap === "address") history.replaceState(null, "", url);
  return line;
}

document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-swap]")) { event.preventDefault(); send(event.target, event.submitter); }
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-send]")) event.target.form.requestSubmit();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (link && !event.metaKey && !event.ctrlKey) { event.preventDefault(); swap(link.href); return; }
  const act = event.target.closest("[data-act]")?.dataset.act;
  if (act && acts[act]) acts[act](event);
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

/* Polling: an element with data-href and data-poll (seconds) is asked for again while it is seen. */
setInterval(() => {
  if (document.hidden) return;
  for (const one of document.querySelectorAll("[data-poll][data-href]")) {
    const due = Number(one.dataset.due ?? 0);
    if (Date.now() < due) continue;
    one.dataset.due = Date.now() + 1000 * Number(one.dataset.poll);
    swap(one.dataset.href, { headers: { "x-fhirwright-poll": "1" } });
  }
}, 500);

/* Typing: a form with data-type="300" is sent so many milliseconds after the last key. */
const typing = new WeakMap();
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-type]");
  if (!form) return;
  clearTimeout(typing.get(form));
  typing.set(form, setTimeout(() => form.requestSubmit(), Number(form.dataset.type)));
});

/* Tabs: buttons with role=tab and aria-controls. */
document.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (tab) choose(tab);
});
export function choose(tab) {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const on = other === tab;
    other.setAttribute("aria-selected", String(on));
    other.tabIndex = on ? 0 : -1;
    const panel = document.getElementById(other.getAttribute("aria-controls"));
    if (panel) panel.hidden = !on;
  }
  document.dispatchEvent(new CustomEvent("tab", { detail: tab.getAttribute("aria-controls") }));
}
document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const all = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const next = all[(all.indexOf(tab) + (event.key === "ArrowRight" ? 1 : all.length - 1)) % all.length];
  event.preventDefault(); choose(next); next.focus();
});

/* Keyboard: pages bind names to keys and what they do; people choose other keys, kept in this browser. */
const bound = new Map();
const chosenKeys = () => JSON.parse(localStorage.getItem("keys") ?? "{}");
/** Bind `name` to a default key; `does` says in words what `run` does. */
export function bind(name, key, does, run) { bound.set(name, { key, does, run }); }
const keyOf = (name) => chosenKeys()[name] ?? bound.get(name).key;
const isTyping = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  for (const [name, one] of bound) {
    if (keyOf(name) === event.key) { event.preventDefault(); one.run(event); return; }
  }
});
function showHelp() {
  const rows = document.querySelector("#help tbody");
  rows.replaceChildren(...[...bound].map(([name, one]) => {
    const row = document.createElement("tr");
    const does = document.createElement("td"); does.textContent = one.does;
    const cell = document.createElement("td"); const button = document.createElement("button");
    button.type = "button"; button.className = "quiet small"; button.textContent = keyOf(name);
    button.setAttribute("aria-label", `${one.does}: ${keyOf(name)}. Change`);
    button.addEventListener("click", () => listen(name, button));
    cell.append(button); row.append(does, cell);
    return row;
  }));
  const dialog = document.getElementById("help");
  if (!dialog.open) dialog.showModal();
}
function listen(name, button) {
  button.textContent = "press a key";
  const take = (event) => {
    event.preventDefault(); event.stopPropagation();
    if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
    removeEventListener("keydown", take, true);
    if (event.key !== "Escape") {
      const other = [...bound.keys()].find((one) => one !== name && keyOf(one) === event.key);
      const keys = chosenKeys();
      if (other) keys[other] = keyOf(name);
      keys[name] = event.key;
      localStorage.setItem("keys", JSON.stringify(keys));
    }
    showHelp();
  };
  addEventListener("keydown", take, true);
}
const acts = {
  help: showHelp,
  theme: () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  },
  close: (event) => event.target.closest("dialog").close(),
  "keys-reset": () => { localStorage.removeItem("keys"); showHelp(); },
};
/** Let a button with `data-act=name` do something. */
export function onAct(name, run) { acts[name] = run; }
bind("help", "?", "Show this list", showHelp);
