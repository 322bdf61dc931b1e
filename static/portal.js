// Copy and Print, which no server can do. Without this script the two buttons stay hidden, and nothing else is missing.
(() => {
  "use strict";
  const list = document.getElementById("codes");
  const said = document.getElementById("copied");

  function select() {
    const range = document.createRange();
    range.selectNodeContents(list);
    const chosen = window.getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
  }

  async function copy() {
    const text = Array.from(list.querySelectorAll("code"), (code) => code.textContent).join("\n");
    try {
      await navigator.clipboard.writeText(text); // there is none without https
      said.textContent = "Copied.";
    } catch {
      select();
      said.textContent = document.execCommand("copy") ? "Copied." : "Selected: copy them with your keyboard.";
    }
  }

  const does = { copy, print: () => window.print() };
  for (const button of document.querySelectorAll("button[data-does]")) {
    button.addEventListener("click", does[button.dataset.does]);
    button.hidden = false;
  }
})();
