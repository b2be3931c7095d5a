// A frame as a component: made when its box has a size, given new data on each draw, made anew only when its shape is another.
// What nobody sees is not worked out: a plot out of sight draws when it comes into sight.

import { html, useLayoutEffect, useRef } from '../lib.js';
import { follow } from './cursor.js';
import { Frame } from './frame.js';

/** Plots this far (px) outside the window are drawn already. */
const AHEAD = 200;

class Place {
  constructor(box) {
    this.box = box;
    this.frame = null;
    this.size = null;
    this.near = true;
    this.drawn = null;
    this.resizing = new ResizeObserver(([entry]) => this.sized(entry.contentRect));
    this.nearing = new IntersectionObserver(([entry]) => {
      this.near = entry.isIntersecting;
      this.draw();
    }, { rootMargin: `${AHEAD}px` });
    this.shown = () => this.draw();
    this.resizing.observe(box);
    this.nearing.observe(box);
    document.addEventListener('visibilitychange', this.shown);
  }

  sized(rect) {
    const size = { width: Math.floor(rect.width), height: Math.floor(rect.height) };
    if (size.width < 60 || size.height < 40) return;
    const same = this.size && this.size.width === size.width && this.size.height === size.height;
    this.size = size;
    if (this.frame && !same) this.frame.resize(size);
    this.draw();
  }

  /** Wants what `build` answers to be seen; `zoom` is called with a stretch that was dragged over. */
  want(build, zoom) {
    this.build = build;
    this.zoom = zoom;
    this.draw();
  }

  draw() {
    if (!this.size || !this.build || this.drawn === this.build || !this.near || document.hidden) return;
    this.drawn = this.build;
    const spec = this.build();
    if (this.frame) {
      this.frame.update(spec);
      return;
    }
    this.frame = new Frame(this.box, this.size, spec, (...span) => this.zoom?.(...span));
    this.stop = follow(this.frame);
  }

  leave() {
    this.resizing.disconnect();
    this.nearing.disconnect();
    document.removeEventListener('visibilitychange', this.shown);
    this.stop?.();
    this.frame?.destroy();
  }
}

/**
 * `build()` answers a spec as in `Frame.update` and is another function where the picture is another; `shape` is a text
 * that changes where a new frame is needed; `label` is the sentence for who does not see it.
 */
export function Plot({ build, shape, label, onZoom }) {
  const box = useRef(null);
  const place = useRef(null);
  useLayoutEffect(() => {
    place.current = new Place(box.current);
    return () => place.current.leave();
  }, [shape]);
  useLayoutEffect(() => place.current.want(build, onZoom), [build, onZoom, shape]);
  return html`<div class="plot" ref=${box} role="img" aria-label=${label}></div>`;
}
