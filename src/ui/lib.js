// The one door to what others wrote: every module of the page imports from here, none from vendor/.
export {
  html, h, render, Fragment, createContext,
  useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback, useContext, useErrorBoundary,
  signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect,
  uPlot,
} from './vendor/vendor.js';
