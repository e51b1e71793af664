"use strict";
document.documentElement.classList.add("slides");
for (const compare of document.querySelectorAll(".compare")) {
  const input = compare.querySelector("input");
  const show = () => compare.style.setProperty("--at", `${input.value}%`);
  // Some browsers move a slider by its thumb only.
  const drag = (event) => {
    if (event.buttons) {
      const box = compare.getBoundingClientRect();
      input.value = (100 * (event.clientX - box.left)) / box.width;
      show();
    }
  };
  input.addEventListener("pointerdown", drag);
  input.addEventListener("pointermove", drag);
  input.addEventListener("input", show);
  show();
}
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
