// What Go's own readers make of a body. See ../README.md for the protocol.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
)

type described struct {
	Model   *string  `json:"model"`
	Queries int      `json:"queries"`
	N       *float64 `json:"n"`
	BestOf  *float64 `json:"best_of"`
}

type form struct {
	File []string `json:"file"`
}

// --- JSON

type call struct {
	Model   *string         `json:"model"`
	Queries json.RawMessage `json:"queries"`
	N       *float64        `json:"n"`
	BestOf  *float64        `json:"best_of"`
}

func sizeOf(raw []byte) int {
	var list []any
	var object map[string]any
	if json.Unmarshal(raw, &list) == nil && list != nil {
		return len(list)
	}
	if json.Unmarshal(raw, &object) == nil && object != nil {
		return len(object)
	}
	return -1
}

func describe(from call) *described {
	out := &described{Queries: sizeOf(from.Queries)}
	if from.Model != nil {
		text := hex.EncodeToString([]byte(*from.Model))
		out.Model = &text
	}
	limit := func(number *float64) *float64 {
		if number == nil {
			return nil
		}
		least := math.Min(*number, 1e9)
		return &least
	}
	out.N, out.BestOf = limit(from.N), limit(from.BestOf)
	return out
}

func jsonUnmarshal(_ string, body []byte) any {
	var value call
	if json.Unmarshal(body, &value) != nil {
		return nil
	}
	return describe(value)
}

// Most handlers decode the first value of a body and never look for a second.
func jsonDecoder(_ string, body []byte) any {
	var value call
	if json.NewDecoder(bytes.NewReader(body)).Decode(&value) != nil {
		return nil
	}
	return describe(value)
}

func jsonMap(_ string, body []byte) any {
	var value map[string]any
	if json.Unmarshal(body, &value) != nil {
		return nil
	}
	out := &described{Queries: -1}
	if text, ok := value["model"].(string); ok {
		text = hex.EncodeToString([]byte(text))
		out.Model = &text
	}
	switch queries := value["queries"].(type) {
	case []any:
		out.Queries = len(queries)
	case map[string]any:
		out.Queries = len(queries)
	}
	number := func(name string) *float64 {
		if found, ok := value[name].(float64); ok {
			found = math.Min(found, 1e9)
			return &found
		}
		return nil
	}
	out.N, out.BestOf = number("n"), number("best_of")
	return out
}

// --- forms: every value of the field `file`

func request(contentType string, body []byte) *http.Request {
	out, _ := http.NewRequest("POST", "http://x/", bytes.NewReader(body))
	out.Header.Set("Content-Type", contentType)
	return out
}

func formParsed(contentType string, body []byte) any {
	from := request(contentType, body)
	if from.ParseMultipartForm(1<<24) != nil {
		return nil
	}
	out := form{File: []string{}}
	for _, each := range from.MultipartForm.File["file"] {
		file, err := each.Open()
		if err != nil {
			return nil
		}
		content, _ := io.ReadAll(file)
		file.Close()
		out.File = append(out.File, hex.EncodeToString(content))
	}
	for _, each := range from.MultipartForm.Value["file"] {
		out.File = append(out.File, hex.EncodeToString([]byte(each)))
	}
	return out
}

// Part by part; what was read before a fault counts.
func formParts(contentType string, body []byte) any {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	out := form{File: []string{}}
	reader := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	for {
		part, err := reader.NextPart()
		if err != nil {
			break
		}
		content, err := io.ReadAll(part)
		if part.FormName() == "file" && err == nil {
			out.File = append(out.File, hex.EncodeToString(content))
		}
	}
	return out
}

// --- cases

func readBlock(from io.Reader) ([]byte, bool) {
	var size uint32
	if binary.Read(from, binary.BigEndian, &size) != nil {
		return nil, false
	}
	out := make([]byte, size)
	_, err := io.ReadFull(from, out)
	return out, err == nil
}

func main() {
	readers := map[string]map[string]func(string, []byte) any{
		"json": {"go": jsonUnmarshal, "go-decoder": jsonDecoder, "go-map": jsonMap},
		"form": {"go": formParsed, "go-parts": formParts},
	}
	input := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for {
		kind, more := readBlock(input)
		if !more {
			return
		}
		contentType, _ := readBlock(input)
		body, _ := readBlock(input)
		answers := map[string]any{}
		for name, read := range readers[string(kind)] {
			answers[name] = read(string(contentType), body)
		}
		output.Encode(answers)
	}
}
