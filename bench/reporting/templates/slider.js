// Compares two pictures of a test image; without script the page shows all of them in a grid.
for (const slider of document.querySelectorAll(".slider")) {
  const part = (role) => slider.querySelector(`[data-role="${role}"]`);
  const stage = part("stage");

  const show = (side, figure, title, withErrors) => {
    const place = part(side + "-side");
    const [picture, errors] = place.querySelectorAll("img");
    const marked = Boolean(withErrors && figure && figure.dataset.errors);
    picture.hidden = !figure;
    errors.hidden = !marked;
    if (figure) picture.src = figure.querySelector("img").getAttribute("src");
    if (marked) errors.src = figure.dataset.errors;
    place.classList.toggle("with-errors", marked);
    place.classList.toggle("none", !figure);
    part(side + "-tag").textContent = figure ? title : title + ": no picture stored";
    return marked;
  };

  const nameOf = (side) => {
    const option = part(side).selectedOptions[0];
    const group = option.parentElement.label;
    return { title: option.textContent, whole: group ? `${option.textContent}, ${group}` : option.textContent };
  };

  const update = () => {
    const grid = slider.querySelector(`[data-image="${part("image").value}"]`);
    const ratio = grid.dataset.width / grid.dataset.height;
    stage.style.aspectRatio = String(ratio);
    slider.style.setProperty("--stage", `min(60rem, ${(75 * ratio).toFixed(1)}vh)`); // no higher than the window
    const withErrors = part("errors").checked;
    const sentences = [];
    for (const side of ["left", "right"]) {
      const figure = grid.querySelector(`[data-choice="${part(side).value}"]`);
      const name = nameOf(side);
      show(side, figure, name.title, withErrors);
      const said = figure ? figure.dataset.said : "no picture stored";
      sentences.push(`${side === "left" ? "Left" : "Right"}: ${name.whole}${said ? ` (${said})` : ""}.`);
    }
    part("marks").hidden = !withErrors;
    part("said").textContent = sentences.join(" ");
  };

  const divide = () => {
    const percent = part("divider").value;
    stage.style.setProperty("--divider", `${percent}%`);
    part("divider").setAttribute("aria-valuetext", `${percent} % left, ${100 - percent} % right`);
  };

  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    part("divider").value = (100 * (event.clientX - box.left)) / box.width;
    divide();
  };

  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) follow(event);
  });
  for (const role of ["image", "left", "right", "errors"]) part(role).addEventListener("change", update);
  part("divider").addEventListener("input", divide);

  part("left").value = slider.dataset.left;
  part("right").value = slider.dataset.right;
  slider.querySelector(".slider-tool").hidden = false;
  slider.querySelector(".slider-all").open = false;
  update();
  divide();
}
