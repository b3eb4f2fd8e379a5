// Starts the explorer in the page's one element.

import { mount } from 'svelte';

import './app/app.css';
import App from './app/App.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });
