import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.stream.Collectors;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.ConfigurableApplicationContext;

/** Starts Gate's part of Spring Boot with the profiles of each folder: one line for each, what it reads as `x` and `accounts`. */
public class Start {
  public static void main(String[] arguments) throws Exception {
    PrintStream out = System.out;
    System.setOut(System.err);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String folder = in.readLine(); folder != null; folder = in.readLine()) {
      out.println(answer(folder));
      out.flush();
    }
  }

  /** The names of the accounts as a service binds its list of accounts; nothing without one. */
  private static String accounts(ConfigurableApplicationContext started) {
    return Binder.get(started.getEnvironment()).bind("accounts", Bindable.listOf(Account.class))
        .map(found -> " accounts=" + found.stream().map(one -> one.name).collect(Collectors.joining(",")))
        .orElse("");
  }

  public static class Account {
    private String name;

    public void setName(String name) {
      this.name = name;
    }
  }

  private static String answer(String folder) {
    SpringApplicationBuilder service = new SpringApplicationBuilder(Start.class).web(WebApplicationType.NONE)
        .bannerMode(Banner.Mode.OFF).logStartupInfo(false);
    try (ConfigurableApplicationContext started = service.run("--spring.config.name=spinnaker,gate",
        "--spring.config.location=file:" + folder + "/", "--spring.profiles.active=local")) {
      return "x=" + started.getEnvironment().getProperty("x") + accounts(started);
    } catch (Exception refusal) {
      return refusal.getClass().getSimpleName();
    }
  }
}
