// What a collection can be made with: each option with what it means, and the form's fields as a configuration.

import type { CollectionConfig, Decay } from '../../data/types.js';

/** One choice of a list, with what it means. */
export type Choice = readonly [value: string, meaning: string];

export const METRICS: readonly Choice[] = [
  ['cosine', 'the angle between vectors: right for nearly all embeddings'],
  ['dot', 'the inner product: for models that were trained for it, where length counts'],
  ['euclidean', 'the squared distance: where the components are measures of the same kind'],
  ['manhattan', 'the sum of differences: less led by a single large one'],
];

export const STORED: readonly Choice[] = [
  ['f32', 'as they came: 4 bytes a component'],
  ['f16', 'half: 2 bytes a component, scarcely another ranking'],
  ['int8', 'a quarter: 1 byte a component; estimate first'],
];

export const CODES: readonly Choice[] = [
  ['int8', 'a byte a component: finds nearly all'],
  ['bits', 'a bit a component, for some hundred components and more: an eighth of the memory'],
  ['pq', 'a byte for four components: a quarter of the memory'],
  ['opq', 'the same after a rotation that is learned, not for manhattan: estimate first'],
];

export const LANGUAGES: readonly string[] = ['none', 'english', 'italian', 'german', 'french', 'spanish', 'portuguese', 'dutch', 'swedish', 'russian'];

export const DECAYS: readonly Choice[] = [
  ['none', 'age does not count'],
  ['exponential', 'half after each half-life'],
  ['linear', 'evenly less, nothing after the half-life'],
  ['step', 'all until the half-life, then nothing'],
  ['ebbinghaus', 'as memory does: what is touched is forgotten more slowly'],
];

/** The form as it is typed; '' for the default. */
export interface Made {
  name: string;
  metric: string;
  dim: string;
  text: boolean;
  language: string;
  fields: 'top_level' | 'all' | 'list';
  paths: string;
  k1: string;
  b: string;
  embedder: boolean;
  stored: string;
  codes: string;
  m: string;
  efConstruction: string;
  history: 'none' | 'forever' | 'for';
  historyFor: string;
  decay: string;
  halfLife: string;
  deleteThreshold: string;
  vacuumInterval: string;
  refineEf: string;
  refineInterval: string;
  graphRetention: string;
  linkField: string;
  linkRelation: string;
}

export const START: Made = {
  name: '', metric: 'cosine', dim: '', text: true, language: 'english', fields: 'top_level', paths: '', k1: '', b: '', embedder: false,
  stored: 'f32', codes: 'int8', m: '', efConstruction: '', history: 'none', historyFor: '30d', decay: 'none', halfLife: '7d',
  deleteThreshold: '', vacuumInterval: '', refineEf: '', refineInterval: '', graphRetention: '', linkField: '', linkRelation: '',
};

/** The configuration that the form says. What is as the engine would have it is left out. */
export function configOf(made: Made): CollectionConfig {
  const config: CollectionConfig = { metric: made.metric as NonNullable<CollectionConfig['metric']> };
  if (made.dim !== '') config.dim = Number(made.dim);
  if (made.text) config.text = textOf(made);
  if (made.embedder) config.embedder = true;
  if (made.stored !== 'f32') config.stored = made.stored as NonNullable<CollectionConfig['stored']>;
  if (made.codes !== 'int8') config.codes = made.codes as NonNullable<CollectionConfig['codes']>;
  if (made.m !== '') config.m = Number(made.m);
  if (made.efConstruction !== '') config.ef_construction = Number(made.efConstruction);
  if (made.history !== 'none') config.history = made.history === 'forever' ? 'forever' : made.historyFor.trim();
  if (made.decay !== 'none') config.decay = { model: made.decay as Decay['model'], half_life: made.halfLife.trim() };
  const maintenance = maintenanceOf(made);
  if (Object.keys(maintenance).length > 0) config.maintenance = maintenance;
  const [field, relation] = [made.linkField.trim(), made.linkRelation.trim()];
  if (field !== '') config.auto_links = [{ field, relation }];
  return config;
}

function textOf(made: Made): NonNullable<CollectionConfig['text']> {
  const paths = made.paths.split(',').map((path) => path.trim()).filter(Boolean);
  return {
    language: made.language as 'english',
    ...(made.fields === 'top_level' ? {} : { fields: made.fields === 'all' ? ('all' as const) : paths }),
    ...(made.k1 === '' ? {} : { k1: Number(made.k1) }),
    ...(made.b === '' ? {} : { b: Number(made.b) }),
  };
}

function maintenanceOf(made: Made): NonNullable<CollectionConfig['maintenance']> {
  return {
    ...(made.deleteThreshold === '' ? {} : { delete_threshold: Number(made.deleteThreshold) }),
    ...(made.vacuumInterval === '' ? {} : { vacuum_interval: made.vacuumInterval }),
    ...(made.refineEf === '' ? {} : { refine_ef_construction: Number(made.refineEf) }),
    ...(made.refineInterval === '' ? {} : { refine_interval: made.refineInterval }),
    ...(made.graphRetention === '' ? {} : { graph_retention: made.graphRetention }),
  };
}
