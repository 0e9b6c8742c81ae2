const audio = document.querySelector("audio");
const figures = [...document.querySelectorAll(".figure")].map((figure) => ({
  start: +figure.dataset.start,
  scale: +figure.dataset.scale,
  scroll: figure.querySelector(".scroll"),
  rows: figure.querySelector(".rows"),
  cursor: figure.querySelector(".cursor"),
}));
const show = () => {
  for (const { start, scale, scroll, rows, cursor } of figures) {
    const x = (audio.currentTime - start) * scale;
    const here = x >= 0 && x <= rows.width.baseVal.value;
    cursor.setAttribute("visibility", here ? "visible" : "hidden");
    cursor.setAttribute("transform", `translate(${x})`);
    const beyond = x < scroll.scrollLeft || x > scroll.scrollLeft + scroll.clientWidth;
    if (here && beyond && !audio.paused) scroll.scrollLeft = x - 40;
  }
  if (!audio.paused) requestAnimationFrame(show);
};
audio.addEventListener("play", show);
audio.addEventListener("seeked", show);
for (const { start, scale, rows } of figures) {
  rows.addEventListener("click", (event) => {
    audio.currentTime = start + (event.clientX - rows.getBoundingClientRect().left) / scale;
    audio.play();
  });
}
