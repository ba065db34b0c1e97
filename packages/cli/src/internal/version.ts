/**
 * The version of this command.
 *
 * When to reach for it: `kore-fx --version`, and where another version answers.
 * What it is not: that of an app's own kore-fx, which may be another one.
 */
import * as fs from "node:fs"

/** As in the manifest of the package. */
export const version = (): string => {
  const file = fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8")
  return (JSON.parse(file) as { readonly version: string }).version
}
