/**
 * Kore's Python API for TypeScript: the same names, `snake_case` kept, on the same runtime as everything else.
 *
 * When to reach for it: to bring an app of Kore along, or to write one in its style; `docs/from-kore.md` tells what
 * differs. What it is not: a second implementation. Each function runs an Effect of `core`, `http` or `proc` and hands
 * its result back.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * class MyApp {
 *   configure(args: ReadonlyArray<string>) {
 *     kore.config.workers = 1
 *     kore.server("notls", { ip: "127.0.0.1", port: "8888", tls: false })
 *     const domain = kore.domain("*", { attach: "notls" })
 *     domain.route("/", this.index, { methods: ["get"] })
 *   }
 *   index(req: kore.Request) {
 *     req.response(200, "hello")
 *   }
 * }
 *
 * export const koreapp = new MyApp()
 * ```
 */
export * from "./legacy/kore.ts"
export * as kore from "./legacy/kore.ts"
export { HookError } from "./legacy/errors.ts"
export { reset } from "./legacy/internal/Registry.ts"
export { isLegacy, main, type Options, toApp } from "./legacy/Program.ts"
