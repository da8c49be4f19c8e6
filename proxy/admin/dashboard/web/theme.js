// Runs before the first paint: applies the user's choice of light or dark, otherwise the system's.
(() => {
  const choice = localStorage.getItem('tollgate-theme');
  if (choice) document.documentElement.dataset.theme = choice;
})();
