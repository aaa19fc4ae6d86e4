import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.representer.Representer;

/**
 * Says what SnakeYAML reads in documents given on standard input, one line of JSON for each.
 *
 * A request is one byte (1: several documents are allowed), the length as four bytes, and the text. The answer is
 * {"documents": [...]} with every value as [type, content], or {"refused": exception, "message": text}.
 */
public final class Judge {
    private static final int LARGEST = 5_000_000;

    private final StringBuilder out = new StringBuilder();

    public static void main(String[] arguments) throws IOException {
        DataInputStream in = new DataInputStream(System.in);
        PrintStream answers = new PrintStream(System.out, false, "UTF-8");
        for (int many = in.read(); many >= 0; many = in.read()) {
            byte[] text = new byte[in.readInt()];
            in.readFully(text);
            answers.print(new Judge().judge(text, many == 1));
            answers.print('\n');
            answers.flush();
        }
    }

    private String judge(byte[] text, boolean many) {
        try {
            List<Object> documents = new ArrayList<>();
            if (many) {
                parser().loadAll(new ByteArrayInputStream(text)).forEach(documents::add);
            } else {
                documents.add(parser().load(new ByteArrayInputStream(text)));
            }
            out.append("{\"documents\": [");
            String separator = "";
            for (Object document : documents) {
                out.append(separator);
                write(document);
                separator = ", ";
            }
            return out.append("]}").toString();
        } catch (RuntimeException | StackOverflowError problem) {
            out.setLength(0);
            out.append("{\"refused\": ");
            text(problem.getClass().getName());
            out.append(", \"message\": ");
            text(String.valueOf(problem.getMessage()));
            return out.append("}").toString();
        }
    }

    /** As Halyard's, but for the limit on a file's size, which 1.31 does not have yet. */
    private static Yaml parser() {
        LoaderOptions options = new LoaderOptions();
        options.setCodePointLimit(Integer.MAX_VALUE);
        return new Yaml(new SafeConstructor(options), new Representer(), new DumperOptions(), options);
    }

    private void write(Object value) {
        if (out.length() > LARGEST) {
            throw new IllegalStateException("too large to say");
        }
        if (value == null) {
            out.append("[\"null\", null]");
        } else if (value instanceof Boolean) {
            out.append("[\"bool\", ").append(value).append(']');
        } else if (value instanceof String) {
            tagged("str", (String) value);
        } else if (value instanceof Double) {
            tagged("float", value.toString());
        } else if (value instanceof Number) {
            tagged("int", value.toString());
        } else if (value instanceof Date) {
            tagged("date", Long.toString(((Date) value).getTime()));
        } else if (value instanceof byte[]) {
            tagged("bytes", Base64.getEncoder().encodeToString((byte[]) value));
        } else {
            collection(value);
        }
    }

    private void collection(Object value) {
        if (value instanceof Map) {
            List<Object> flat = new ArrayList<>();
            ((Map<?, ?>) value).forEach((key, item) -> {
                flat.add(key);
                flat.add(item);
            });
            items("map", flat);
        } else if (value instanceof Object[]) {
            items("list", List.of(((Object[]) value)[0], ((Object[]) value)[1]));
        } else if (value instanceof Collection) {
            items("list", (Collection<?>) value);
        } else {
            throw new IllegalStateException("unknown type " + value.getClass());
        }
    }

    private void items(String type, Collection<?> items) {
        out.append("[\"").append(type).append("\", [");
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            write(item);
            separator = ", ";
        }
        out.append("]]");
    }

    private void tagged(String type, String content) {
        out.append("[\"").append(type).append("\", ");
        text(content);
        out.append(']');
    }

    private void text(String content) {
        out.append('"');
        for (char c : content.toCharArray()) {
            if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
