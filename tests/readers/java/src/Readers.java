// What readers written in Java make of a body. See ../../README.md for the protocol.

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.tomcat.util.http.fileupload.FileItemIterator;
import org.apache.tomcat.util.http.fileupload.FileItemStream;
import org.apache.tomcat.util.http.fileupload.FileUpload;
import org.apache.tomcat.util.http.fileupload.UploadContext;
import org.springframework.core.ResolvableType;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ReactiveHttpInputMessage;
import org.springframework.http.codec.multipart.DefaultPartHttpMessageReader;
import org.springframework.http.codec.multipart.Part;
import reactor.core.publisher.Flux;

public final class Readers {
  interface Reading { Object read(String type, byte[] body) throws Exception; }

  static String hex(byte[] bytes) { return HexFormat.of().formatHex(bytes); }

  // --- JSON

  static Map<String, Object> described(String model, int queries, Double n, Double bestOf) {
    var out = new LinkedHashMap<String, Object>();
    out.put("model", model == null ? null : hex(model.getBytes(StandardCharsets.UTF_8)));
    out.put("queries", queries);
    out.put("n", n == null ? null : (Double) Math.min(n, 1e9));
    out.put("best_of", bestOf == null ? null : (Double) Math.min(bestOf, 1e9));
    return out;
  }

  static final ObjectMapper TREE = new ObjectMapper();
  // As Spring configures it, and as those do who want it lenient.
  static final ObjectMapper BEAN =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();
  static final ObjectMapper LENIENT = JsonMapper.builder()
      .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
      .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_PROPERTIES).build();

  public static final class Call {
    public String model;
    public JsonNode queries;
    public Double n;
    @com.fasterxml.jackson.annotation.JsonAlias("bestOf")
    public Double best_of;
  }

  static Double number(JsonNode value) { return value.isNumber() ? (Double) value.asDouble() : null; }

  static Object withTree(String type, byte[] body) throws Exception {
    JsonNode root = TREE.readTree(body);
    if (root == null || !root.isObject()) return null;
    JsonNode model = root.path("model"), queries = root.path("queries");
    return described(model.isTextual() ? model.asText() : null, queries.isContainerNode() ? queries.size() : -1,
        number(root.path("n")), number(root.path("best_of")));
  }

  static Reading withBean(ObjectMapper mapper) {
    return (type, body) -> {
      Call call = mapper.readValue(body, Call.class);
      if (call == null) return null;
      boolean some = call.queries != null && call.queries.isContainerNode();
      return described(call.model, some ? call.queries.size() : -1, call.n, call.best_of);
    };
  }

  static Double number(JsonElement value) {
    return value != null && value.isJsonPrimitive() && value.getAsJsonPrimitive().isNumber()
        ? (Double) value.getAsDouble() : null;
  }

  static Object withGson(String type, byte[] body) {
    Reader text = new StringReader(new String(body, StandardCharsets.UTF_8));
    var root = JsonParser.parseReader(text).getAsJsonObject();
    JsonElement model = root.get("model"), queries = root.get("queries");
    boolean text_ = model != null && model.isJsonPrimitive() && model.getAsJsonPrimitive().isString();
    int size = queries == null ? -1 : queries.isJsonArray() ? queries.getAsJsonArray().size()
        : queries.isJsonObject() ? queries.getAsJsonObject().size() : -1;
    return described(text_ ? model.getAsString() : null, size, number(root.get("n")), number(root.get("best_of")));
  }

  // --- forms: every value of the field `file`

  static Object files(List<byte[]> found) {
    return Map.of("file", found.stream().map(Readers::hex).toList());
  }

  record Upload(String type, byte[] body) implements UploadContext {
    public String getCharacterEncoding() { return null; }
    public String getContentType() { return type; }
    public long contentLength() { return body.length; }
    public InputStream getInputStream() { return new ByteArrayInputStream(body); }
  }

  static Object withTomcat(String type, byte[] body) throws Exception {
    List<byte[]> found = new ArrayList<>();
    FileItemIterator parts = new FileUpload().getItemIterator(new Upload(type, body));
    while (parts.hasNext()) {
      FileItemStream part = parts.next();
      byte[] content = part.openStream().readAllBytes();
      if ("file".equals(part.getFieldName())) found.add(content);
    }
    return files(found);
  }

  record ApacheUpload(String type, byte[] body) implements org.apache.commons.fileupload.UploadContext {
    public String getCharacterEncoding() { return null; }
    public String getContentType() { return type; }
    public int getContentLength() { return body.length; }
    public long contentLength() { return body.length; }
    public InputStream getInputStream() { return new ByteArrayInputStream(body); }
  }

  // Tomcat's is a copy of this one and has gone its own way since; older Spring and Struts use it.
  static Object withApache(String type, byte[] body) throws Exception {
    List<byte[]> found = new ArrayList<>();
    var parts = new org.apache.commons.fileupload.FileUpload().getItemIterator(new ApacheUpload(type, body));
    while (parts.hasNext()) {
      var part = parts.next();
      byte[] content = part.openStream().readAllBytes();
      if ("file".equals(part.getFieldName())) found.add(content);
    }
    return files(found);
  }

  record Message(HttpHeaders headers, byte[] body) implements ReactiveHttpInputMessage {
    public HttpHeaders getHeaders() { return headers; }
    public Flux<DataBuffer> getBody() {
      return Flux.just(DefaultDataBufferFactory.sharedInstance.wrap(body));
    }
  }

  static Object withSpring(String type, byte[] body) {
    var headers = new HttpHeaders();
    headers.set("Content-Type", type);
    headers.getContentType();  // throws where the type is none
    List<byte[]> found = new ArrayList<>();
    Flux<Part> parts = new DefaultPartHttpMessageReader()
        .read(ResolvableType.forClass(Part.class), new Message(headers, body), Map.of());
    for (Part part : parts.collectList().block()) {
      DataBuffer all = DataBufferUtils.join(part.content()).block();
      byte[] content = new byte[all == null ? 0 : all.readableByteCount()];
      if (all != null) all.read(content);
      if (part.name().equals("file")) found.add(content);
    }
    return files(found);
  }

  // --- cases

  static byte[] readBlock(DataInputStream from) throws Exception {
    byte[] out = new byte[from.readInt()];
    from.readFully(out);
    return out;
  }

  static Object read(Reading reading, String type, byte[] body) {
    try {
      return reading.read(type, body);
    } catch (Exception | StackOverflowError refused) {
      return null;
    }
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, Map<String, Reading>> readings = Map.of(
        "json", Map.of("jackson-tree", Readers::withTree, "jackson", withBean(BEAN), "jackson-lenient",
            withBean(LENIENT), "gson", Readers::withGson),
        "form", Map.of("tomcat", Readers::withTomcat, "commons-fileupload", Readers::withApache,
            "spring", Readers::withSpring));
    var input = new DataInputStream(new BufferedInputStream(System.in));
    var output = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (;;) {
      String kind;
      try {
        kind = new String(readBlock(input), StandardCharsets.UTF_8);
      } catch (EOFException end) {
        return;
      }
      String type = new String(readBlock(input), StandardCharsets.ISO_8859_1);
      byte[] body = readBlock(input);
      var answers = new LinkedHashMap<String, Object>();
      readings.get(kind).forEach((name, reading) -> answers.put(name, read(reading, type, body)));
      output.println(TREE.writeValueAsString(answers));
      output.flush();
    }
  }
}
