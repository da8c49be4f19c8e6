// What readers written in Rust make of a body. See ../README.md for the protocol.
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{json, Map, Value};
use std::convert::Infallible;
use std::io::{self, BufRead, BufReader, Write};

// --- JSON

#[derive(Deserialize)]
struct Call {
    model: Option<String>,
    queries: Option<Value>,
    n: Option<f64>,
    #[serde(alias = "bestOf")]
    best_of: Option<f64>,
}

fn size_of(queries: Option<&Value>) -> i64 {
    match queries {
        Some(Value::Array(each)) => each.len() as i64,
        Some(Value::Object(each)) => each.len() as i64,
        _ => -1,
    }
}

fn described(model: Option<&str>, queries: i64, n: Option<f64>, best_of: Option<f64>) -> Value {
    json!({ "model": model.map(hex::encode), "queries": queries,
            "n": n.map(|x| x.min(1e9)), "best_of": best_of.map(|x| x.min(1e9)) })
}

fn with_value(body: &[u8]) -> Value {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(root)) => described(
            root.get("model").and_then(Value::as_str),
            size_of(root.get("queries")),
            root.get("n").and_then(Value::as_f64),
            root.get("best_of").and_then(Value::as_f64),
        ),
        _ => Value::Null,
    }
}

fn with_struct(body: &[u8]) -> Value {
    match serde_json::from_slice::<Call>(body) {
        Ok(call) => described(call.model.as_deref(), size_of(call.queries.as_ref()), call.n, call.best_of),
        Err(_) => Value::Null,
    }
}

// --- forms: every value of the field `file`

async fn files(boundary: String, body: Bytes) -> Result<Vec<String>, multer::Error> {
    let stream = futures_util::stream::once(async move { Ok::<_, Infallible>(body) });
    let mut form = multer::Multipart::new(stream, boundary);
    let mut found = Vec::new();
    while let Some(part) = form.next_field().await? {
        let is_file = part.name() == Some("file");
        let content = part.bytes().await?;
        if is_file {
            found.push(hex::encode(content));
        }
    }
    Ok(found)
}

fn with_multer(content_type: &str, body: &[u8]) -> Value {
    let found = multer::parse_boundary(content_type)
        .and_then(|boundary| futures_executor::block_on(files(boundary, Bytes::copy_from_slice(body))));
    found.map_or(Value::Null, |found| json!({ "file": found }))
}

// --- cases

fn read_block(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let mut out = vec![0; u32::from_be_bytes(length) as usize];
    from.read_exact(&mut out).ok()?;
    Some(out)
}

fn main() {
    let mut input = BufReader::new(io::stdin());
    let mut output = io::stdout();
    while let Some(kind) = read_block(&mut input) {
        let content_type = read_block(&mut input).expect("a type");
        let body = read_block(&mut input).expect("a body");
        let mut answers = Map::new();
        if kind == b"json" {
            answers.insert("serde_json".into(), with_value(&body));
            answers.insert("serde".into(), with_struct(&body));
        } else {
            let text = String::from_utf8_lossy(&content_type);
            answers.insert("multer".into(), with_multer(&text, &body));
        }
        writeln!(output, "{}", Value::Object(answers)).expect("an answer");
        output.flush().expect("an answer");
    }
}
