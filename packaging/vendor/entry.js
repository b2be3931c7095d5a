// The one module of others' code that the page loads: Preact, its hooks and signals, htm, uPlot.
import { h } from 'preact';
import htm from 'htm';

export const html = htm.bind(h);
export { h, render, Fragment, createContext } from 'preact';
export { useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback, useContext, useErrorBoundary } from 'preact/hooks';
export { signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect } from '@preact/signals';
export { default as uPlot } from 'uplot';
