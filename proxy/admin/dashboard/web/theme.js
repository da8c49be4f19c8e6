// Before anything is drawn: the reader's own choice of light or dark, otherwise the system's.
(() => {
  const choice = localStorage.getItem('tollgate-theme');
  if (choice) document.documentElement.dataset.theme = choice;
})();
