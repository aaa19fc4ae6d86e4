import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.springframework.boot.context.properties.bind.*;
import org.springframework.cloud.bootstrap.encrypt.EnvironmentDecryptApplicationInitializer;
import org.springframework.cloud.config.environment.PropertySource;
import org.springframework.cloud.config.server.config.ConfigServerProperties;
import org.springframework.cloud.config.server.environment.*;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.security.crypto.encrypt.Encryptors;

/** Serves accounts from a git repository with Spring's config server and binds them with Clouddriver's own classes. */
public class Judge {
  static final ObjectMapper JSON = new ObjectMapper();
  static final Map<String, String> CLASSES = new LinkedHashMap<>();
  static {
    CLASSES.put("docker-registry", "com.netflix.spinnaker.clouddriver.docker.registry.config.DockerRegistryConfigurationProperties");
    CLASSES.put("cloudfoundry", "com.netflix.spinnaker.clouddriver.cloudfoundry.config.CloudFoundryConfigurationProperties");
    CLASSES.put("aws", "com.netflix.spinnaker.clouddriver.aws.security.config.AccountsConfiguration");
    CLASSES.put("google", "com.netflix.spinnaker.clouddriver.google.config.GoogleConfigurationProperties");
    CLASSES.put("azure", "com.netflix.spinnaker.clouddriver.azure.config.AzureConfigurationProperties");
    CLASSES.put("appengine", "com.netflix.spinnaker.clouddriver.appengine.config.AppengineConfigurationProperties");
    // Those that no repository serves have the fields that Recorded.java was generated with.
    for (Class<?> type : Recorded.class.getClasses()) {
      CLASSES.put(type.getSimpleName(), type.getName());
    }
  }

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    java.io.PrintStream out = new java.io.PrintStream(System.out, true, "UTF-8");
    System.setOut(System.err);
    for (String line; (line = in.readLine()) != null; ) {
      Map<?, ?> asked = JSON.readValue(line, Map.class);
      out.println(JSON.writeValueAsString(answered(asked)));
    }
  }

  static Map<String, Object> answered(Map<?, ?> asked) throws Exception {
    if (asked.containsKey("address")) {
      return addresses((String) asked.get("address"));
    }
    if (asked.containsKey("names")) {
      return kept((List<?>) asked.get("names"));
    }
    if (asked.containsKey("patterns")) {
      return patterns((List<?>) asked.get("patterns"));
    }
    if (asked.containsKey("config")) {
      return settings((String) asked.get("config"));
    }
    if (asked.containsKey("file")) {
      return file(asked);
    }
    return asked.containsKey("describe") ? described() : judge(asked);
  }

  record Account(String name, int number) implements com.netflix.spinnaker.credentials.Credentials {
    public String getName() {
      return name;
    }

    public String getType() {
      return "test";
    }
  }

  /** The number of the account that the repository of every provider keeps under each name, if they come in this order. */
  static Map<String, Object> kept(List<?> names) {
    var repository = new com.netflix.spinnaker.credentials.MapBackedCredentialsRepository<Account>("test", null);
    for (int number = 0; number < names.size(); number++) {
      repository.save(new Account((String) names.get(number), number));
    }
    Map<String, Object> numbers = new TreeMap<>();
    repository.getAll().forEach(one -> numbers.put(one.name(), one.number()));
    return numbers;
  }

  interface Reader {
    Object read(String text) throws Exception;
  }

  /** What each library makes of an address: the host that it would ask, or null where it refuses the address. */
  static Map<String, Object> addresses(String text) {
    Map<String, Object> hosts = new LinkedHashMap<>();
    hosts.put("http", host(text, one -> okhttp3.HttpUrl.get(one + "/v2/").host()));
    hosts.put("url", host(text, one -> new java.net.URL(one).toURI().toString()));
    hosts.put("aws", host(text, one -> com.amazonaws.util.RuntimeHttpUtils.toUri(one, com.amazonaws.Protocol.HTTPS).getHost()));
    hosts.put("docker", host(text, Judge::registry));
    return hosts;
  }

  static Object host(String text, Reader reader) {
    try {
      return reader.read(text);
    } catch (Exception refusal) {
      return null;
    }
  }

  /** The host that Clouddriver asks for the images of a registry, whose address Halyard has completed. */
  static Object registry(String address) {
    String whole = address.startsWith("https://") || address.startsWith("http://") ? address : "https://" + address;
    var account = new com.netflix.spinnaker.clouddriver.docker.registry.security.DockerRegistryNamedAccountCredentials.Builder()
        .dockerOkClientProvider(new com.netflix.spinnaker.clouddriver.docker.registry.api.v2.client.DefaultDockerOkClientProvider())
        .accountName("a").environment("a").accountType("a").address(whole).repositories(List.of("a/b")).build();
    return okhttp3.HttpUrl.get(account.getAddress() + "/v2/").host();
  }

  /** Why Java refuses each of these regular expressions; empty for those it accepts. */
  static Map<String, Object> patterns(List<?> patterns) {
    Map<String, Object> answer = new LinkedHashMap<>();
    for (Object pattern : patterns) {
      try {
        java.util.regex.Pattern.compile((String) pattern);
        answer.put((String) pattern, "");
      } catch (java.util.regex.PatternSyntaxException reason) {
        answer.put((String) pattern, reason.getDescription());
      }
    }
    return answer;
  }

  /** A spinnakerconfig.yml as the config server's own classes bind it: what they have, or why they refuse a key. */
  static Map<String, Object> settings(String text) throws Exception {
    Map<String, Object> answer = new LinkedHashMap<>();
    StandardEnvironment environment = new StandardEnvironment();
    for (var source : new org.springframework.boot.env.YamlPropertySourceLoader()
        .load("spinnakerconfig", new org.springframework.core.io.ByteArrayResource(text.getBytes(StandardCharsets.UTF_8)))) {
      environment.getPropertySources().addLast(source);
    }
    String prefix = "spring.cloud.config.server.";
    Map<String, Class<?>> kinds = Map.of("git", MultipleJGitEnvironmentProperties.class,
        "awss3", AwsS3EnvironmentProperties.class, "vault", VaultEnvironmentProperties.class);
    for (Map.Entry<String, Class<?>> kind : kinds.entrySet()) {
      boolean given = text.contains("      " + kind.getKey() + ":");
      if (given) {
        BindHandler strict = new org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler(BindHandler.DEFAULT);
        Object bound = Binder.get(environment).bind(prefix + kind.getKey(), Bindable.of((Class<Object>) (Class<?>) kind.getValue()), strict).get();
        for (var property : java.beans.Introspector.getBeanInfo(bound.getClass()).getPropertyDescriptors()) {
          Object value = property.getReadMethod() == null ? null : property.getReadMethod().invoke(bound);
          if (value != null && !property.getName().equals("class")) {
            answer.put(property.getName(), value instanceof Object[] ? plain(Arrays.asList((Object[]) value)) : plain(value));
          }
        }
      }
    }
    answer.put("profile", environment.getProperty("spring.profiles.include"));
    answer.put("label", environment.getProperty(prefix + "defaultLabel"));
    return answer;
  }

  /** The fields of each provider's accounts with their types: what has a setter, as Spring looks for them. */
  static Map<String, Object> described() throws Exception {
    Map<String, Object> answer = new LinkedHashMap<>();
    for (Map.Entry<String, String> one : CLASSES.entrySet()) {
      Type list = Class.forName(one.getValue()).getMethod("getAccounts").getGenericReturnType();
      answer.put(one.getKey(), fields((Class<?>) ((ParameterizedType) list).getActualTypeArguments()[0]));
    }
    return answer;
  }

  static Map<String, Object> fields(Class<?> type) throws Exception {
    Map<String, Object> found = new TreeMap<>();
    for (var method : type.getMethods()) {
      if (method.getName().matches("set[A-Z].*") && method.getParameterCount() == 1 && !method.getName().equals("setMetaClass")) {
        String name = method.getName().substring(3);
        found.put(name.substring(0, 1).toLowerCase() + name.substring(1), described(method.getGenericParameterTypes()[0]));
      }
    }
    return found;
  }

  static Object described(Type type) throws Exception {
    if (type instanceof ParameterizedType && !(((ParameterizedType) type).getRawType() == Map.class)) {
      Type item = ((ParameterizedType) type).getActualTypeArguments()[0];
      return item == String.class ? "List<String>" : List.of(described(item));
    }
    if (type instanceof Class && ((Class<?>) type).getName().startsWith("com.netflix.spinnaker.clouddriver")) {
      Class<?> own = (Class<?>) type;
      return own.isEnum() ? "enum" : fields(own);
    }
    return type.getTypeName();
  }

  static Map<String, Object> judge(Map<?, ?> asked) {
    Map<String, Object> answer = new LinkedHashMap<>();
    StandardEnvironment environment;
    try {
      environment = served(asked);
    } catch (Exception reason) {
      answer.put("served", words(reason));
      return answer;
    }
    for (Map.Entry<String, String> one : CLASSES.entrySet()) {
      answer.put(one.getKey(), bound(environment, one.getKey(), one.getValue()));
    }
    return answer;
  }

  /** What a client of the config server has: the sources in their order, with {cipher} values decrypted. */
  static StandardEnvironment served(Map<?, ?> asked) throws Exception {
    StandardEnvironment environment = new StandardEnvironment();
    for (PropertySource source : repository(asked).findOne("clouddriver", "test,local", null, false).getPropertySources()) {
      Map<String, Object> values = new LinkedHashMap<>();
      source.getSource().forEach((key, value) -> values.put(String.valueOf(key), value));
      environment.getPropertySources().addLast(new MapPropertySource(source.getName(), values));
    }
    if (asked.get("key") != null) {
      environment.getPropertySources()
          .addLast(new MapPropertySource("judge", Map.of("spring.cloud.bootstrap.enabled", "true")));
      GenericApplicationContext context = new GenericApplicationContext();
      context.setEnvironment(environment);
      new EnvironmentDecryptApplicationInitializer(Encryptors.text((String) asked.get("key"), (String) asked.get("salt")))
          .initialize(context);
    }
    return environment;
  }

  /** A `configserver:` file as Clouddriver gets it, without its placeholders resolved; or why it gets none. */
  static Map<String, Object> file(Map<?, ?> asked) throws Exception {
    SearchPathLocator backend = (SearchPathLocator) repository(asked);
    var loader = new org.springframework.core.io.DefaultResourceLoader();
    if (client != null) {
      loader.addProtocolResolver(new io.awspring.cloud.core.io.s3.SimpleStorageProtocolResolver(client));
    }
    var files = new org.springframework.cloud.config.server.resource.GenericResourceRepository(backend);
    files.setResourceLoader(loader);
    try (java.io.InputStream in = files.findOne("clouddriver", "test,local", null, (String) asked.get("file")).getInputStream()) {
      return Map.of("text", new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (Exception reason) {
      return Map.of("reason", words(reason));
    }
  }

  static com.amazonaws.services.s3.AmazonS3 client;

  /** The config server's backend for S3, as `awss3` of its settings configures it. */
  static EnvironmentRepository s3(Map<?, ?> settings, String endpoint, String label) {
    var login = new com.amazonaws.auth.BasicAWSCredentials("test-key", "test-secret");
    client = com.amazonaws.services.s3.AmazonS3ClientBuilder.standard()
        .withEndpointConfiguration(
            new com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration(endpoint, "us-east-1"))
        .withPathStyleAccessEnabled(true)
        .withCredentials(new com.amazonaws.auth.AWSStaticCredentialsProvider(login))
        .build();
    ConfigServerProperties server = new ConfigServerProperties();
    if (label != null) {
      server.setDefaultLabel(label);
    }
    return new AwsS3EnvironmentRepository(client, (String) settings.get("bucket"), server);
  }

  /** The config server's backend for Vault, as `vault` of its settings configures it; it logs in with a token. */
  static EnvironmentRepository vault(Map<?, ?> settings, String endpoint, String token) {
    java.net.URI address = java.net.URI.create(endpoint);
    VaultEnvironmentProperties properties = new VaultEnvironmentProperties();
    properties.setScheme(address.getScheme());
    properties.setHost(address.getHost());
    properties.setPort(address.getPort());
    properties.setBackend((String) settings.get("backend"));
    properties.setKvVersion((Integer) settings.get("kvVersion"));
    if (settings.get("pathToKey") != null) {
      properties.setPathToKey((String) settings.get("pathToKey"));
    }
    var request = new org.springframework.beans.factory.support.DefaultListableBeanFactory()
        .getBeanProvider(javax.servlet.http.HttpServletRequest.class);
    return new VaultEnvironmentRepository(
        request, new EnvironmentWatch.Default(), new org.springframework.web.client.RestTemplate(), properties, () -> token);
  }

  /** The config server's git backend; or its native one, for many small files. */
  static EnvironmentRepository repository(Map<?, ?> asked) throws Exception {
    StandardEnvironment server = new StandardEnvironment();
    if (asked.get("awss3") != null) {
      return s3((Map<?, ?>) asked.get("awss3"), (String) asked.get("endpoint"), (String) asked.get("label"));
    }
    if (asked.get("vault") != null) {
      return vault((Map<?, ?>) asked.get("vault"), (String) asked.get("endpoint"), (String) asked.get("token"));
    }
    if (asked.get("folder") != null) {
      NativeEnvironmentProperties properties = new NativeEnvironmentProperties();
      properties.setSearchLocations(new String[] {"file://" + asked.get("folder") + "/"});
      return new NativeEnvironmentRepository(server, properties);
    }
    JGitEnvironmentProperties properties = new JGitEnvironmentProperties();
    properties.setUri((String) asked.get("uri"));
    properties.setBasedir(new java.io.File((String) asked.get("basedir")));
    properties.setDefaultLabel((String) asked.get("label"));
    properties.setSearchPaths(((List<?>) asked.get("searchPaths")).toArray(new String[0]));
    JGitEnvironmentRepository repository = new JGitEnvironmentRepository(server, properties);
    repository.afterPropertiesSet();
    return repository;
  }

  static Object bound(StandardEnvironment environment, String prefix, String name) {
    try {
      Class<?> type = Class.forName(name);
      Object target = Binder.get(environment).bindOrCreate(prefix, Bindable.of(type));
      List<Map<String, Object>> accounts = new ArrayList<>();
      List<?> list = (List<?>) type.getMethod("getAccounts").invoke(target);
      for (Object account : list == null ? List.of() : list) {
        Map<String, Object> fields = new TreeMap<>();
        for (var property : java.beans.Introspector.getBeanInfo(account.getClass()).getPropertyDescriptors()) {
          if (property.getReadMethod() == null || property.getName().matches("class|metaClass")) {
            continue;
          }
          Object value = property.getReadMethod().invoke(account);
          if (value != null) {
            fields.put(property.getName(), plain(value));
          }
        }
        accounts.add(fields);
      }
      return accounts;
    } catch (Throwable reason) {
      return words(reason);
    }
  }

  static Object plain(Object value) {
    if (value instanceof Number || value instanceof Boolean || value instanceof String) {
      return value;
    }
    if (value instanceof Map) {
      Map<String, Object> copy = new LinkedHashMap<>();
      ((Map<?, ?>) value).forEach((key, one) -> copy.put(String.valueOf(key), one == null ? null : plain(one)));
      return copy;
    }
    if (value instanceof Collection) {
      List<Object> copy = new ArrayList<>();
      for (Object one : (Collection<?>) value) {
        copy.add(one == null ? null : plain(one));
      }
      return copy;
    }
    return String.valueOf(value);
  }

  static String words(Throwable reason) {
    StringBuilder text = new StringBuilder();
    for (Throwable one = reason; one != null; one = one.getCause()) {
      text.append(one.getClass().getSimpleName()).append(": ").append(one.getMessage()).append("; ");
    }
    return text.toString();
  }
}
