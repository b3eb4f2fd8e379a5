// Where is searched: the switch in the head of the page, and what of the address says so. It stands before the #, so
// that a link opens in the same place, and only under /ui/, which is what can be loaded without the server.

import { byId } from './dom.js';

/** The place that an address names. */
export const placeOf = (search) => (new URLSearchParams(search).get('in') === 'tab' ? 'tab' : 'server');

/** The address of a place, with what is asked behind it. */
export const addressOf = (place, hash) => `/ui/${place === 'tab' ? '?in=tab' : ''}${hash}`;

/** Shows the switch; `onChoose(place)` when the reader uses it. */
export function makePlaceSwitch({ onChoose }) {
  const choices = [...document.querySelectorAll('input[name="place"]')];
  for (const choice of choices) choice.addEventListener('change', () => onChoose(choice.value));
  return {
    show(place) {
      for (const choice of choices) choice.checked = choice.value === place;
      document.documentElement.dataset.place = place;
    },
    offer: (isThere) => { byId('place').hidden = !isThere; },
  };
}
