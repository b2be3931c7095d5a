// Moving and resizing a panel with the pointer, in whole cells. The buttons and numbers do the same without one.
import { useRef } from '../lib.js';

/** @returns {{move: object, size: object}} props for the head and for the corner */
export function useDrag(grid, panel, change, begin) {
  const from = useRef(null);
  const cell = () => {
    const style = getComputedStyle(grid.current);
    const [column] = style.gridTemplateColumns.split(' ').map(parseFloat);
    return { width: column + parseFloat(style.columnGap), height: parseFloat(style.gridAutoRows) + parseFloat(style.rowGap) };
  };
  const handlers = (apply) => ({
    onPointerDown: (event) => {
      if (event.button !== 0 || event.pointerType === 'touch' || event.target.closest('button')) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      from.current = { x: event.clientX, y: event.clientY, panel, last: '' };
      begin();
    },
    onPointerMove: (event) => {
      if (!from.current) return;
      const { width, height } = cell();
      const [dx, dy] = [Math.round((event.clientX - from.current.x) / width), Math.round((event.clientY - from.current.y) / height)];
      if (`${dx},${dy}` === from.current.last) return;
      from.current.last = `${dx},${dy}`;
      change(apply(from.current.panel, dx, dy));
    },
    onPointerUp: () => { from.current = null; },
    onPointerCancel: () => { from.current = null; },
  });
  return { move: handlers(({ x, y }, dx, dy) => ({ x: x + dx, y: y + dy })), size: handlers(({ w, h }, dx, dy) => ({ w: w + dx, h: h + dy })) };
}
