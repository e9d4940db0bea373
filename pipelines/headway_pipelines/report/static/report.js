// Draws every chart from the JSON beside it, as it comes near the window. Without this script the tables still hold
// every number.
(function () {
  "use strict";
  if (!window.Plotly) {
    console.error("plotly.min.js is missing beside this page: no charts are drawn");
    return;
  }
  var charts = Array.prototype.slice.call(document.querySelectorAll("[data-chart]"));
  var template = JSON.parse(document.getElementById("chart-template").textContent);
  function draw(place) {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "yes";
    var figure = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    figure.layout.template = template;
    window.Plotly.newPlot(place, figure.data, figure.layout, { displayModeBar: false, responsive: true });
  }
  // What is near at once is drawn at once, also where a browser paints nothing; the rest as it is scrolled to.
  function isNear(place) {
    var box = place.getBoundingClientRect();
    return box.top < window.innerHeight + 800 && box.bottom > -800;
  }
  charts.filter(isNear).forEach(draw);
  if ("IntersectionObserver" in window) {
    var near = new IntersectionObserver(function (seen) {
      seen.forEach(function (each) {
        if (!each.isIntersecting) return;
        near.unobserve(each.target);
        draw(each.target);
      });
    }, { rootMargin: "800px 0px" });
    charts.forEach(function (place) { near.observe(place); });
  } else {
    charts.forEach(draw);
  }
  // A printed page shows all of it, and is narrower than the window the charts were drawn for.
  function fit() {
    charts.forEach(function (place) { window.Plotly.Plots.resize(place); });
  }
  window.addEventListener("beforeprint", function () { charts.forEach(draw); fit(); });
  window.addEventListener("afterprint", fit);
})();
