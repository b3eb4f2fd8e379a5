//! One way to drive every surface: an operation by name, arguments and results as the JSON of the REST interface.

use serde_json::Value;

/// Why an operation was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The stable code.
    pub code: String,
    /// All that the surface said.
    pub report: Value,
}

impl Failure {
    /// From what a surface said.
    #[must_use]
    pub fn new(report: Value) -> Self {
        let code = report["code"].as_str().unwrap_or("no code").to_owned();
        Self { code, report }
    }
}

/// Numbers as f64, and those of `vector` fields as the f32 they are, however a surface prints them.
#[must_use]
pub fn rounded(value: &Value) -> Value {
    let to_f32 = |x: &Value| x.as_f64().map_or_else(|| x.clone(), |x| serde_json::json!(x as f32));
    match value {
        Value::Object(fields) => {
            let round = |(key, value): (&String, &Value)| {
                let rounded = match value {
                    Value::Array(components) if key == "vector" => components.iter().map(to_f32).collect(),
                    other => rounded(other),
                };
                (key.clone(), rounded)
            };
            Value::Object(fields.iter().map(round).collect())
        }
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Number(number) => serde_json::json!(number.as_f64()),
        other => other.clone(),
    }
}

/// A surface of the product.
pub trait Surface {
    /// Its name, for messages.
    fn name(&self) -> &'static str;

    /// Does an operation. `open` comes first: `{path}`; the others are those of `tests/surfaces/node.mjs`.
    ///
    /// # Errors
    /// What the surface refused.
    ///
    /// # Panics
    /// When the surface itself breaks.
    fn call(&mut self, op: &str, args: &Value) -> Result<Value, Failure>;

    /// Does an operation that has to succeed.
    ///
    /// # Panics
    /// When it does not.
    fn must(&mut self, op: &str, args: &Value) -> Value {
        let name = self.name();
        self.call(op, args).unwrap_or_else(|failure| panic!("{name}: {op}: {}", failure.report))
    }
}
