/**
 * The one place where spice-html5 is imported. It is loaded at run time and from files of its own (build/bundle/targets.ts), because it is
 * LGPL and a user may replace it; and only after the realm that it expects stands (worker-realm.ts).
 */
export async function loadSpiceHtml5() {
  const [main, conn, display, inputs, cursor, messages, dataView] = await Promise.all([
    import('@spice-project/spice-html5'),
    import('@spice-project/spice-html5/src/spiceconn.js'),
    import('@spice-project/spice-html5/src/display.js'),
    import('@spice-project/spice-html5/src/inputs.js'),
    import('@spice-project/spice-html5/src/cursor.js'),
    import('@spice-project/spice-html5/src/spicemsg.js'),
    import('@spice-project/spice-html5/src/spicedataview.js'),
  ]);
  return { ...main, ...conn, ...display, ...inputs, ...cursor, ...messages, ...dataView };
}

export type SpiceHtml5 = Awaited<ReturnType<typeof loadSpiceHtml5>>;
