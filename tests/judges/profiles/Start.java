import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** Starts Gate's part of Spring Boot with the profiles of each folder it is told: one line, what it reads as `x`, for each. */
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

  private static String answer(String folder) {
    SpringApplicationBuilder service = new SpringApplicationBuilder(Start.class).web(WebApplicationType.NONE)
        .bannerMode(Banner.Mode.OFF).logStartupInfo(false);
    try (ConfigurableApplicationContext started = service.run("--spring.config.name=spinnaker,gate",
        "--spring.config.location=file:" + folder + "/", "--spring.profiles.active=local")) {
      return "x=" + started.getEnvironment().getProperty("x");
    } catch (Exception refusal) {
      return refusal.getClass().getSimpleName();
    }
  }
}
