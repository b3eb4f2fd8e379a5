// The pages there are: each folder of pages/ that has a page.ts. One that is not there is not in the list.

import type { Component } from 'svelte';

import type { AddressState } from './address.js';
import type { Source } from '../data/sources.js';
import type { Collection, CollectionInfo, Database } from '../data/types.js';

/** What page.ts of a page exports as its default. */
export interface PageEntry {
  /** In addresses: the name of its folder. */
  name: string;
  /** In the navigation. */
  title: string;
  /** The same on a phone, where it is longer than eight letters. */
  short?: string;
  /** One line for the palette. */
  hint: string;
  /** Its place in the navigation, from 10 in tens. */
  order: number;
  /** What it is drawn with: the `d` of a path in a square of 24, drawn with a line of 1.75. */
  icon: string;
  /** What it cannot be without. The shell sees to it: a page that needs a collection is given one. */
  needs: 'database' | 'collection';
  /** Its component. */
  load: () => Promise<{ default: Component<CollectionPageProps> } | { default: Component<PageProps> }>;
}

/** What every page gets. */
export interface PageProps {
  source: Source;
  database: Database;
  /** All collections, by name. */
  infos: readonly CollectionInfo[];
  /** What this page keeps in the address, as it is now; it changes by Back, by links and by `keep`. */
  address: AddressState;
  /** Keeps something in the address: names with text, and '' for what is to go. `replace` while somebody types or drags. */
  keep: (change: AddressState, options?: { replace?: boolean }) => void;
  /** Goes to another page, database or collection, with its state. */
  navigate: (to: { page?: string; source?: string; collection?: string | null; state?: AddressState }) => void;
  /** The same as something to put into `href`. */
  link: (to: { page?: string; source?: string; collection?: string | null; state?: AddressState }) => string;
  /** Reads what the collections are and hold anew, after a write. */
  refresh: () => Promise<void>;
}

/** What a page gets that needs a collection. It is made anew for another collection. */
export interface CollectionPageProps extends PageProps {
  collection: Collection;
  info: CollectionInfo;
}

const found = import.meta.glob<{ default: PageEntry }>('../pages/*/page.ts', { eager: true });

/** In the order of the navigation. */
export const PAGES: readonly PageEntry[] = Object.values(found).map((module) => module.default).sort((a, b) => a.order - b.order);
