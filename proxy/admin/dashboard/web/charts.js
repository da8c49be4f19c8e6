// Charts by Chart.js in the page's colours, each with its figures as text beside it.
import { freshId, h } from './dom.js';
import { axis, shortCredits } from './format.js';

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const palette = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'];
export const seriesColour = (index) => colour(palette[index % palette.length]);
export const named = colour;

// `configure` returns Chart.js's configuration; it is called again whenever the colours change.
export function chart(label, configure, signal, { height = 280 } = {}) {
  const canvas = h('canvas', { role: 'img', 'aria-label': label });
  const box = h('div', { class: `chart chart-${height}` }, canvas);
  let drawn = null;
  const draw = () => {
    if (signal.aborted || !canvas.isConnected) return;
    drawn?.destroy();
    drawn = new Chart(canvas, withDefaults(configure()));
  };
  requestAnimationFrame(draw);
  addEventListener('themechange', draw, { signal });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw, { signal });
  signal.addEventListener('abort', () => drawn?.destroy());
  return box;
}

// Draws dashed lines as dashed in the legend, too.
const dashedLabels = (drawn) =>
  Chart.defaults.plugins.legend.labels.generateLabels(drawn).map((item) => {
    const { borderDash, borderWidth } = drawn.data.datasets[item.datasetIndex];
    return { ...item, lineDash: borderDash ?? [], lineWidth: borderWidth };
  });

function withDefaults(config) {
  const [ink, line] = [colour('muted'), colour('line')];
  const scale = (more = {}) => ({
    ...more,
    grid: { color: line, borderColor: line, ...more.grid },
    ticks: { color: ink, maxRotation: 0, autoSkipPadding: 12, ...more.ticks },
  });
  const options = config.options ?? {};
  const root = getComputedStyle(document.documentElement);
  Chart.defaults.font.family = root.fontFamily;
  Chart.defaults.font.size = 0.78 * parseFloat(root.fontSize);
  return {
    ...config,
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: 'index', intersect: false },
      ...options,
      scales: {
        x: scale({ grid: { display: false }, ...options.scales?.x }),
        y: scale({ beginAtZero: true, ...options.scales?.y, ticks: { callback: axis } }),
      },
      plugins: {
        legend: {
          position: 'bottom',
          labels: {
            color: colour('ink'),
            usePointStyle: true,
            ...(config.type === 'line' && { pointStyleWidth: 28, generateLabels: dashedLabels }),
            ...(config.type === 'bar' && { pointStyle: 'rectRounded' }),
            filter: (item) => !item.text.startsWith('_'),
          },
        },
        tooltip: {
          filter: (item) => !item.dataset.label.startsWith('_') && item.raw !== null,
          callbacks: { label: (item) => ` ${item.dataset.label}: ${shortCredits(item.raw)}` },
        },
        ...options.plugins,
      },
    },
  };
}

export function figures(title, content) {
  const id = freshId('figures');
  return h('details', { class: 'figures' }, h('summary', { id }, title), content);
}
