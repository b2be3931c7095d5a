// A frame as a component: made when its box has a size, given new data on each draw, made anew only when its shape is another.

import { html, useLayoutEffect, useRef } from '../lib.js';
import { follow } from './cursor.js';
import { Frame } from './frame.js';

/** `spec` as in `Frame.update`; `shape` is a text that changes where a new frame is needed; `label` is the sentence for who does not see it. */
export function Plot({ spec, shape, label, onZoom }) {
  const box = useRef(null);
  const held = useRef({ frame: null, spec: null, onZoom: null });
  held.current.spec = spec;
  held.current.onZoom = onZoom;

  useLayoutEffect(() => {
    const own = held.current;
    let stop = null;
    const observer = new ResizeObserver(([entry]) => {
      const size = { width: Math.floor(entry.contentRect.width), height: Math.floor(entry.contentRect.height) };
      if (size.width < 60 || size.height < 40) return;
      if (own.frame) {
        if (own.frame.size.width !== size.width || own.frame.size.height !== size.height) own.frame.resize(size);
        return;
      }
      own.frame = new Frame(box.current, size, own.spec, (...span) => own.onZoom?.(...span));
      stop = follow(own.frame);
    });
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      stop?.();
      own.frame?.destroy();
      own.frame = null;
    };
  }, [shape]);

  useLayoutEffect(() => {
    const { frame } = held.current;
    if (frame && frame.spec !== spec) frame.update(spec);
  }, [spec]);

  return html`<div class="plot" ref=${box} role="img" aria-label=${label}></div>`;
}
