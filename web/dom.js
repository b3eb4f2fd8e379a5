// Makes elements without markup: text only ever becomes text nodes, so nothing stored in a database can be code.

/**
 * An element with properties and children. `data`, `aria` and `role` become attributes; `on` listeners; strings
 * and numbers among the children become text; false, null and undefined among them are left out.
 */
export function make(tag, { data, aria, on, role, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  if (role) element.setAttribute('role', role);
  for (const [name, value] of Object.entries(data ?? {})) element.dataset[name] = value;
  for (const [name, value] of Object.entries(aria ?? {})) element.setAttribute(`aria-${name}`, value);
  for (const [name, listener] of Object.entries(on ?? {})) element.addEventListener(name, listener);
  element.append(...children.flat(Infinity).filter((child) => child !== false && child !== null && child !== undefined));
  return element;
}

/** The element of the page with this id; its absence is a mistake in api.html. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`api.html has no #${id}`);
  return element;
}
