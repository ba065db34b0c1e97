/**
 * The tables of parity as pages of Markdown.
 *
 * When to reach for it: `parity.ts` writes them, and compares them with those that are there.
 * What it is not: a place for words about a row. They stand in its note.
 */
import { type Defect, type Row, type Table, type Test, testsOf } from "./ParityTable.ts"

const written = (json: string) =>
  `<!-- Written by tools/parity.ts from ${json}: change that, then run \`pnpm parity\`. -->`

const text = (markdown: string): string => markdown.replace(/[\\|<>*_[\]]/g, "\\$&").replace(/\n/g, " ")
// Inside of a table a bar ends the cell, even in code.
const code = (name: string): string => `\`${name.replace(/\|/g, "\\|")}\``
const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const link = ({ file, name }: Test): string => `[${text(name)}](../../${file})`

const places = (where: Row["where"]): string =>
  Object.entries(where).map(([document, section]) => `${document} ${text(section)}`).join("<br>")

const namePart = ({ rows }: Table): string => {
  const groups = Map.groupBy(rows, ({ group }) => group)
  return Array.from(groups, ([group, rows]) =>
    [
      `### ${group}`,
      table(
        ["Kore", "where", "`kore-fx/legacy`", "Effect", "shown by", "what differs"],
        rows.map((row) => [
          code(row.name),
          places(row.where),
          `${code(row.legacy)}${row.value === undefined ? "" : ` = ${row.value}`}`,
          row.effect.map(code).join("<br>"),
          testsOf(row).map(link).join("<br>"),
          row.note ?? ""
        ])
      )
    ].join("\n\n")).join("\n\n")
}

const answer = (defect: Defect): string =>
  "test" in defect ? link(defect.test) : "reason" in defect ? defect.reason : `issue ${defect.issue}`

/** The page of a table. */
export const page = (self: Table): string => {
  const { defects, elsewhere, own, rows, source, title, without } = self
  const parts = [
    written(self.file),
    `# ${title}: Kore and here`,
    `Every name that Kore has, and every defect that was found in it. Source: ${source}; a section with § is one of the ` +
    "specification that was measured from it, `seed` is Kore's own documentation.",
    `${rows.length} names, ${defects.length} defects. Each test is one that runs with \`pnpm test\`.`,
    "## Names",
    namePart(self),
    "## Defects",
    "What Kore does wrong, and the test, reason or issue that says why it is not so here.",
    table(["where", "in Kore", "here"], defects.map((defect) => [defect.where, text(defect.what), answer(defect)]))
  ]
  if (elsewhere.length > 0) {
    parts.push(
      "## Elsewhere",
      "Names that come with another capability. Some are there already; none counts before its own table does.",
      table(["issue", "capability", "names"], elsewhere.map(({ issue, names, what }) => [
        issue,
        what,
        names.map(code).join(", ")
      ]))
    )
  }
  if (without.length > 0) {
    parts.push("## Without", table(["Kore", "where", "why there is none"], without.map(({ name, reason, where }) => [
      code(name),
      where,
      text(reason)
    ])))
  }
  if (own.length > 0) {
    parts.push(
      "## Not of Kore",
      table(["in `kore-fx/legacy`", "what for"], own.map(({ name, reason }) => [code(name), text(reason)]))
    )
  }
  return `${parts.join("\n\n")}\n`
}

/** The name of a table's page. */
export const pageName = (table: Table): string => table.file.replace(/\.json$/, ".md")

/** The page that leads to the others. */
export const overview = (tables: ReadonlyArray<Table>): string =>
  `${
    [
      written("the tables beside it"),
      "# Parity with Kore",
      "What Kore has, what it is here, and which test shows it: a name counts when it is there in `kore-fx/legacy`, works " +
      "as Kore's does or better, and a test proves it; a defect counts when a test would fail if it came back.",
      table(
        ["page", "names", "defects", "with a test", "with a reason", "left to another issue"],
        tables.map((self) => {
          const count = (key: string) => String(self.defects.filter((defect) => key in defect).length)
          return [
            `[${self.title}](${pageName(self)})`,
            String(self.rows.length),
            String(self.defects.length),
            count("test"),
            count("reason"),
            count("issue")
          ]
        })
      ),
      "`pnpm parity` compares the tables with the code: titles of tests, names in Effect and in the old API, members of " +
      "what it gives to handlers, values of constants, keywords, hooks, options. It refuses a row whose option is read " +
      "and not applied, a row that says of itself that it is half there, and a test that names another fault than the one " +
      "that it is linked with."
    ].join("\n\n")
  }\n`
