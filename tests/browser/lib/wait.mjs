// Waiting for what will happen soon, with an end. Knows no page.

const EVERY_MS = 50;

/** Asks until the answer is truthy and yields it; fails with `what` after `within` ms. A throw counts as "not yet". */
export async function until(what, ask, within = 15_000) {
  const began = performance.now();
  let last = '';
  for (;;) {
    try {
      const found = await ask();
      if (found) return found;
      last = `the last answer was ${JSON.stringify(found)}`;
    } catch (error) {
      last = `the last try failed: ${error.message}`;
    }
    if (performance.now() - began > within) throw new Error(`${what}: not within ${within} ms (${last})`);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
