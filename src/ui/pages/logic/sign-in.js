// Where a sign-in leads and how long one waits. Pure.

/** The path to go to: only one of this page, never another site nor the sign-in itself. @param {string|undefined} next */
export function nextPath(next) {
  if (!next || !next.startsWith('/') || /^\/[/\\]/.test(next) || /[\u0000-\u001f\\]/.test(next) || /^\/sign-in(?:[/?#]|$)/.test(next)) return '/';
  return next;
}

/** Seconds that a refusal asks to wait: its own, or those its words name, or 30. @param {{retryAfter?: number, message?: string}} error */
export function waitSeconds({ retryAfter, message }) {
  const told = Number.isFinite(retryAfter) ? retryAfter : Number(/(\d+)\s*s/.exec(message ?? '')?.[1] ?? NaN);
  return Number.isFinite(told) ? Math.min(Math.max(Math.ceil(told), 1), 3600) : 30;
}
