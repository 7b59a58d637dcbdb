// The queue by keyboard.
import { bind } from "./work.js";

const links = () => [...document.querySelectorAll("#rows a")];
const step = (by) => {
  const all = links(), index = all.indexOf(document.activeElement);
  all[Math.max(0, Math.min(all.length - 1, index + by))]?.focus();
};
bind("take-next", "n", "Take the next document", () => document.getElementById("take")?.requestSubmit());
bind("row-next", "j", "Next row", () => step(1));
bind("row-former", "k", "Row before", () => step(-1));
bind("look", "/", "Search in the queue", () => document.querySelector("#filter [name=text]").focus());
