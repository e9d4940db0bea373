// Draws every chart from the JSON beside it. Without this script the tables still hold every number.
(function () {
  "use strict";
  var charts = Array.prototype.slice.call(document.querySelectorAll("[data-chart]"));
  charts.forEach(function (place) {
    var figure = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    window.Plotly.newPlot(place, figure.data, figure.layout, { displayModeBar: false, responsive: true });
  });
  // A printed page is narrower than the window the charts were drawn for.
  function fit() {
    charts.forEach(function (place) { window.Plotly.Plots.resize(place); });
  }
  window.addEventListener("beforeprint", fit);
  window.addEventListener("afterprint", fit);
})();
