// The upload page: files are sent as soon as they are chosen or dropped; without this script the form does the same.
import { swap } from "./work.js";

const form = document.getElementById("upload");
const files = document.getElementById("files");

async function send(chosen) {
  if (!chosen.length || form.classList.contains("busy")) return;
  const body = new FormData();
  body.append("csrf", form.elements.csrf.value);
  for (const file of chosen) body.append("files", file);
  form.classList.add("busy");
  await swap(form.action, { method: "POST", body });
  form.classList.remove("busy");
  form.reset();
  const of = document.querySelector("#stages [name=of]")?.value ?? new URLSearchParams(document.getElementById("stages").dataset.href?.split("?")[1]).get("of");
  if (of) history.replaceState(null, "", `/work/upload?of=${of}`);
}

if (form) {
  form.classList.add("live");
  form.addEventListener("submit", (event) => { event.preventDefault(); send(files.files); });
  files.addEventListener("change", () => send(files.files));
  for (const name of ["dragenter", "dragover"]) form.addEventListener(name, (event) => { event.preventDefault(); form.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => { event.preventDefault(); send(event.dataTransfer.files); });
}
