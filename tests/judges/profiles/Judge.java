import java.io.DataInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.PropertySourcesPropertyResolver;
import org.springframework.core.io.ByteArrayResource;

/** Reads profiles as Spring Boot reads them: one answer per line for each text, whose length precedes it. */
public class Judge {
  public static void main(String[] arguments) throws Exception {
    DataInputStream in = new DataInputStream(System.in);
    while (true) {
      byte[] text;
      try {
        text = new byte[in.readInt()];
      } catch (java.io.EOFException end) {
        return;
      }
      in.readFully(text);
      System.out.println(answer(text));
      System.out.flush();
    }
  }

  private static String answer(byte[] text) {
    try {
      List<String> documents = new ArrayList<>();
      List<String> resolved = new ArrayList<>();
      for (PropertySource<?> source : new YamlPropertySourceLoader().load("profile", new ByteArrayResource(text))) {
        documents.add(document((EnumerablePropertySource<?>) source));
        resolved.add(resolved((EnumerablePropertySource<?>) source));
      }
      return "{\"documents\": [" + String.join(", ", documents) + "], \"resolved\": [" + String.join(", ", resolved) + "]}";
    } catch (Exception refusal) {
      return "{\"refused\": " + quoted(String.valueOf(refusal)) + "}";
    }
  }

  private static String document(EnumerablePropertySource<?> source) {
    List<String> properties = new ArrayList<>();
    for (String name : new TreeSet<>(List.of(source.getPropertyNames()))) {
      Object value = source.getProperty(name);
      String type = value == null ? "null" : value.getClass().getSimpleName();
      properties.add(quoted(name) + ": [" + quoted(type) + ", " + quoted(String.valueOf(value)) + "]");
    }
    return "{" + String.join(", ", properties) + "}";
  }

  /** The properties as a service gets them: with their placeholders resolved, or the words of the refusal. */
  private static String resolved(EnumerablePropertySource<?> source) {
    MutablePropertySources sources = new MutablePropertySources();
    sources.addLast(source);
    List<String> properties = new ArrayList<>();
    for (String name : new TreeSet<>(List.of(source.getPropertyNames()))) {
      String value;
      try {
        value = new PropertySourcesPropertyResolver(sources).getProperty(name);
      } catch (IllegalArgumentException refusal) {
        value = "refused: " + refusal.getMessage();
      }
      properties.add(quoted(name) + ": " + quoted(String.valueOf(value)));
    }
    return "{" + String.join(", ", properties) + "}";
  }

  private static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char letter : text.toCharArray()) {
      out.append(letter == '"' || letter == '\\' ? "\\" + letter
          : letter < ' ' || letter > '~' ? String.format("\\u%04x", (int) letter) : String.valueOf(letter));
    }
    return out.append('"').toString();
  }
}
