// The button is there only where it can print; everywhere else the browser's own menu does.
(function () {
  "use strict";
  var button = document.getElementById("print");
  if (button && window.print) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  }
}());
