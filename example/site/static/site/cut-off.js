// Beside the number there is a slider for the same value; without JavaScript the number is enough.
const number = document.getElementById("cut-off");
const range = document.getElementById("cut-off-range");
range.hidden = false;
range.addEventListener("input", () => {
  number.value = range.value;
  number.dispatchEvent(new Event("input", { bubbles: true }));
});
number.addEventListener("input", () => {
  range.value = number.value;
});
