import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.DataInputStream;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** Binds one field of each kind as Halyard binds its halconfig: SnakeYAML to a map, Jackson from the map to the class. */
public class Judge {
  public enum Size { SMALL, MEDIUM, LARGE }

  public enum Right { READ, WRITE }

  public enum Supported { METRICS_STORE, CONFIGURATION_STORE, OBJECT_STORE }

  public enum Operator { Exists, Equal, DoesNotExist }

  /** As the type of the persistent store, which has a creator of its own. */
  public enum Store {
    AZS, GCS, REDIS, S3, ORACLE, ORACLEBMCS;

    @JsonCreator
    public static Store fromString(String name) {
      for (Store store : values()) {
        if (store.name().equalsIgnoreCase(name)) {
          return store;
        }
      }
      throw new IllegalArgumentException("Type \"" + name + "\" is not a valid choice");
    }
  }

  public static class Inner {
    public String name;
  }

  public static class Pair {
    public String originUser;
    public String upstreamUser;
  }

  public static class Toleration {
    public String key;
    public Operator operator;
    public String value;
    public String effect;
  }

  public static class Plugin {
    public String id;
    public Boolean enabled;
    public String uiResourceLocation;
    public String version;
    public Map<String, Object> config;
    public Map<String, Object> extensions;
  }

  public static class Fields {
    public String text;
    public boolean flag;
    public int number;
    public Long big;
    public Size size;
    public URL url;
    public URI uri;
    public Inner inner;
    public List<String> texts;
    public List<Inner> inners;
    public Map<String, String> map;
    public Map<Right, Set<String>> rights;
    public Map<String, Map> sizing;
    public Boolean wrapped;
    public Integer count;
    public Store store;
    public Pair pair;
    public String[] array;
    public SortedSet<Supported> supported;
    public Map<String, List<Map>> aliases;
    public Map<String, List<Toleration>> tolerations;
    public Map<String, Object> config;
    public Map<String, Plugin> plugins;
    public Map<String, Set<String>> filter;
  }

  public enum Volume { secret, configMap, emptyDir, persistentVolumeClaim }

  public enum Strategy { rollingUpdate, recreate }

  public static class Source {
    public String id;
    public Volume type;
    public String mountPath;
    public Map<String, String> env;
  }

  public static class Deployment {
    public Strategy type;
    public Map<String, String> strategySettings;
  }

  public static class Context {
    public Integer fsGroup;
    public Integer runAsUser;
  }

  public static class Kubernetes {
    public List<String> imagePullSecrets;
    public String nodePort;
    public Boolean useTcpProbe;
    public List<Source> volumes;
    public Deployment deploymentStrategy;
    public Context securityContext;
  }

  /** The kinds of fields of service-settings, which Halyard reads with another mapper: nulls bind, unknown keys do not. */
  public static class Settings {
    public String artifactId;
    public Boolean enabled;
    public Integer port;
    public Map<String, String> env;
    public Kubernetes kubernetes;
  }

  public static void main(String[] arguments) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    mapper.configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, true);
    mapper.setSerializationInclusion(JsonInclude.Include.NON_NULL);
    DataInputStream in = new DataInputStream(System.in);
    while (true) {
      byte[] text;
      try {
        text = new byte[in.readInt()];
      } catch (java.io.EOFException end) {
        return;
      }
      in.readFully(text);
      System.out.println(answer(mapper, new String(text, StandardCharsets.UTF_8)));
      System.out.flush();
    }
  }

  private static String answer(ObjectMapper mapper, String text) throws Exception {
    try {
      Object read = new Yaml(new SafeConstructor()).load(text);
      if (((Map) read).containsKey("settings")) {
        ObjectMapper lenient = new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
        lenient.convertValue(((Map) read).get("settings"), Settings.class);
        return "{}";
      }
      Fields bound = mapper.convertValue(read, Fields.class);
      Object value = Fields.class.getField(String.valueOf(((Map) read).keySet().iterator().next())).get(bound);
      return new ObjectMapper().writeValueAsString(Map.of("value", String.valueOf(value)));
    } catch (RuntimeException refusal) {
      return new ObjectMapper().writeValueAsString(Map.of("refused", String.valueOf(refusal.getMessage())));
    }
  }
}
