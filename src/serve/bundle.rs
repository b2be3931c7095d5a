//! The page's modules glued into two scripts, so that a browser asks twice and not eighty times.
//!
//! Each module becomes a function that fills an object with its exports and runs when it is first
//! asked for; `import` becomes a call, `import()` a call that may fetch the second script. The first
//! script holds what the roots need, the second the rest. Cost: one pass over the lines.
//! It knows the few shapes of `import` and `export` that the page's files use, each at the beginning
//! of a line; any other is an error, and the page then runs on its modules as they lie.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Finds a module by name, running it the first time; `later` fetches the second script when it must.
const BEGIN: &str = "const $f={},$m={};const $i=(id)=>{let m=$m[id];if(!m){m=$m[id]={};$f[id](m);}return m;};\
    let $p;const $l=async(id)=>{if(!$f[id])await($p??=import('./later.js').then((rest)=>rest.default($f,$i,$l),(error)=>{$p=null;throw error;}));return $i(id);};\n";

/// The modules as two scripts.
#[derive(Debug)]
pub(super) struct Bundle {
    /// Holds the roots and what they import, and runs the first root.
    pub(super) first: String,
    /// Everything else; the first fetches it by the name `later.js`, beside itself.
    pub(super) later: String,
}

/// Glues `modules` (path to text). The first of `roots` is run.
///
/// # Errors
/// A module that is imported is not there, or a shape of `import` or `export` is not known: which, and where.
pub(super) fn bundle(modules: &BTreeMap<&str, &str>, roots: &[&str]) -> Result<Bundle, String> {
    let mut glued = BTreeMap::new();
    for (&path, text) in modules {
        glued.insert(path, Module::glue(path, text)?);
    }
    let needed = closure(&glued, roots)?;
    let mut first = BEGIN.to_owned();
    let mut later = "export default ($f,$i,$l)=>{\n".to_owned();
    for (path, module) in &glued {
        let script = if needed.contains(*path) { &mut first } else { &mut later };
        // In brackets: an engine compiles such a function with the script, off the page's thread.
        let _ = writeln!(script, "$f[\"{path}\"]=(($x)=>{{\n{}}});", module.text);
    }
    if let Some(root) = roots.first() {
        let _ = writeln!(first, "$i(\"{root}\");");
    }
    later.push_str("};\n");
    Ok(Bundle { first, later })
}

/// The roots and all that they import, and what that imports.
fn closure(modules: &BTreeMap<&str, Module>, roots: &[&str]) -> Result<BTreeSet<String>, String> {
    let mut needed = BTreeSet::new();
    let mut open: Vec<String> = roots.iter().map(|&root| root.to_owned()).collect();
    while let Some(path) = open.pop() {
        let module = modules.get(path.as_str()).ok_or_else(|| format!("{path} is imported and not there"))?;
        if needed.insert(path) {
            open.extend(module.imports.iter().cloned());
        }
    }
    Ok(needed)
}

/// A module as the body of a function.
#[derive(Debug, Default)]
struct Module {
    text: String,
    imports: Vec<String>,
    /// Statements that give out what was declared, at the end of the body.
    gives: String,
}

impl Module {
    fn glue(path: &str, text: &str) -> Result<Self, String> {
        let mut module = Self::default();
        let text = match text.rfind("export{") {
            // Minified: the one export stands at the end, not at the beginning of a line.
            Some(at) if path.starts_with("vendor/") => format!("{}\n{}", &text[..at], text[at..].replacen("export{", "export { ", 1)),
            _ => text.to_owned(),
        };
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if is_comment(line) {
                skip_comment(line, &mut lines);
            } else if line.starts_with("import ") || line.starts_with("export {") || line.starts_with("export *") {
                let statement = whole(line, &mut lines);
                module.pass(path, &statement)?;
            } else if let Some(rest) = line.strip_prefix("export ") {
                module.declare(path, rest)?;
            } else {
                module.text.push_str(&lazy(path, line));
                module.text.push('\n');
            }
        }
        let gives = std::mem::take(&mut module.gives);
        module.text.push_str(&gives);
        Ok(module)
    }

    /// `import … from`, `export … from`, `export { … }`.
    fn pass(&mut self, path: &str, statement: &str) -> Result<(), String> {
        let unknown = || format!("{path}: not known how to glue: {statement}");
        let statement = statement.trim_end().trim_end_matches(';');
        let (what, from) = match statement.rsplit_once(" from ") {
            Some((what, from)) => (what, Some(self.import(path, from).ok_or_else(unknown)?)),
            None => (statement, None),
        };
        let names = between(what, '{', '}').map(pairs);
        let line = match (what.split_whitespace().next(), from, names) {
            (Some("import"), None, None) => format!("$i({});", self.import(path, what.trim_start_matches("import")).map(|p| quoted(&p)).ok_or_else(unknown)?),
            (Some("import"), Some(from), names) => {
                let own = what.trim_start_matches("import").split(['{', ',']).next().unwrap_or("").trim();
                if own.starts_with('*') {
                    return Err(unknown());
                }
                let default = (!own.is_empty()).then(|| format!("default:{own}"));
                let all: Vec<String> = default.into_iter().chain(names.unwrap_or_default().into_iter().map(|(a, b)| format!("{a}:{b}"))).collect();
                format!("const {{{}}}=$i({});", all.join(","), quoted(&from))
            }
            (Some("export"), Some(from), Some(names)) => {
                let all: Vec<String> = names.into_iter().map(|(a, b)| format!("$x.{b}=$i({}).{a};", quoted(&from))).collect();
                all.concat()
            }
            (Some("export"), None, Some(names)) => {
                self.gives.extend(names.into_iter().map(|(a, b)| format!("$x.{b}={a};\n")));
                String::new()
            }
            _ => return Err(unknown()),
        };
        self.text.push_str(&line);
        self.text.push('\n');
        Ok(())
    }

    /// A declaration that is given out.
    fn declare(&mut self, path: &str, rest: &str) -> Result<(), String> {
        let (by_default, declared) = rest.strip_prefix("default ").map_or((false, rest), |declared| (true, declared));
        let name = declared_name(declared);
        match (by_default, name) {
            (true, Some(name)) => self.gives.push_str(&format!("$x.default={name};\n")),
            (false, Some(name)) => self.gives.push_str(&format!("$x.{name}={name};\n")),
            (true, None) => self.text.push_str("$x.default="),
            (false, None) => return Err(format!("{path}: not known how to glue: export {rest}")),
        }
        self.text.push_str(&lazy(path, declared));
        self.text.push('\n');
        Ok(())
    }

    /// The path of an imported module, remembered.
    fn import(&mut self, path: &str, quoted: &str) -> Option<String> {
        let relative = quoted.trim().strip_prefix('\'')?.strip_suffix('\'')?;
        let found = resolve(path, relative)?;
        self.imports.push(found.clone());
        Some(found)
    }
}

/// The name that a declaration declares.
fn declared_name(declared: &str) -> Option<&str> {
    let rest = ["async function* ", "async function ", "function* ", "function ", "class ", "const ", "let "]
        .into_iter()
        .find_map(|word| declared.strip_prefix(word))?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// `import('./x.js')` asks for the module by its name.
fn lazy(path: &str, line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("import('") {
        let Some((relative, behind)) = after.split_once("')") else { break };
        let Some(found) = resolve(path, relative) else { break };
        let _ = write!(out, "{before}$l({})", quoted(&found));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The path that a relative one means, seen from a module.
fn resolve(path: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    relative.starts_with('.').then(|| parts.join("/"))
}

/// A statement to its semicolon, on one line.
fn whole<'a>(line: &str, lines: &mut impl Iterator<Item = &'a str>) -> String {
    let mut statement = line.to_owned();
    while !statement.trim_end().ends_with(';') {
        let Some(next) = lines.next() else { break };
        statement.push(' ');
        statement.push_str(next.trim());
    }
    statement
}

/// Lines that hold nothing but a comment.
fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("// ") || line.starts_with("/**")
}

fn skip_comment<'a>(line: &str, lines: &mut impl Iterator<Item = &'a str>) {
    let inside = line.trim_start().starts_with("/**") && !line.contains("*/");
    if inside {
        lines.by_ref().find(|next| next.contains("*/"));
    }
}

fn between(text: &str, open: char, close: char) -> Option<&str> {
    let (_, rest) = text.split_once(open)?;
    rest.rsplit_once(close).map(|(inside, _)| inside)
}

/// `a, b as c` as pairs of the name there and the name here.
fn pairs(list: &str) -> Vec<(&str, &str)> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| name.split_once(" as ").map_or((name, name), |(a, b)| (a.trim(), b.trim()))).collect()
}

fn quoted(path: &str) -> String {
    format!("\"{path}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glued(path: &str, text: &str) -> String {
        Module::glue(path, text).unwrap().text.replace('\n', "")
    }

    #[test]
    fn imports_become_calls() {
        assert_eq!(glued("a/b.js", "import { c, d as e } from '../f.js';"), "const {c:c,d:e}=$i(\"f.js\");");
        assert_eq!(glued("a/b.js", "import {\n  c,\n} from './f.js';"), "const {c:c}=$i(\"a/f.js\");");
        assert_eq!(glued("b.js", "import x, { c } from './f.js';"), "const {default:x,c:c}=$i(\"f.js\");");
        assert_eq!(glued("b.js", "import './f.js';"), "$i(\"f.js\");");
        assert_eq!(glued("p/b.js", "const f = () => import('./c.js');"), "const f = () => $l(\"p/c.js\");");
    }

    #[test]
    fn what_is_declared_is_given_out_at_the_end() {
        assert_eq!(glued("b.js", "export const a = 1;\nuse(a);"), "const a = 1;use(a);$x.a=a;");
        assert_eq!(glued("b.js", "export async function go() {\n}"), "async function go() {}$x.go=go;");
        assert_eq!(glued("b.js", "export default function Page() {\n}"), "function Page() {}$x.default=Page;");
        assert_eq!(glued("b.js", "export default {\n  a: 1,\n};"), "$x.default={  a: 1,};");
        assert_eq!(glued("b.js", "export { a, b as c };\nlet a;"), "let a;$x.a=a;$x.c=b;");
        assert_eq!(glued("b.js", "export { a as b } from './c.js';"), "$x.b=$i(\"c.js\").a;");
        assert_eq!(glued("vendor/v.js", "var x=1;export{x as y};"), "var x=1;$x.y=x;");
    }

    #[test]
    fn comments_are_left_out() {
        assert_eq!(glued("b.js", "// head\n/** one */\n/**\n * more\n */\nf(); // stays"), "f(); // stays");
    }

    #[test]
    fn what_is_not_known_is_said() {
        for text in ["import * as all from './c.js';", "export * from './c.js';", "export const { a } = b;", "import x from 'elsewhere';"] {
            assert!(Module::glue("b.js", text).unwrap_err().starts_with("b.js: not known"), "{text}");
        }
    }

    #[test]
    fn the_first_script_holds_what_the_roots_need() {
        let modules = BTreeMap::from([
            ("main.js", "import './a.js';\nimport('./late.js');"),
            ("a.js", "export const a = 1;"),
            ("late.js", "import { a } from './a.js';"),
        ]);
        let Bundle { first, later } = bundle(&modules, &["main.js"]).unwrap();
        assert!(first.contains("$f[\"a.js\"]") && first.ends_with("$i(\"main.js\");\n") && !first.contains("$f[\"late.js\"]"), "{first}");
        assert!(later.contains("$f[\"late.js\"]") && !later.contains("$f[\"a.js\"]"), "{later}");
        assert!(bundle(&modules, &["main.js", "gone.js"]).unwrap_err().contains("gone.js"));
    }
}
