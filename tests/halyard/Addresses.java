import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Says of each line of standard input, a text in base64, whether Java takes it for a URI and for a URL. */
public class Addresses {
    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String text = new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8).trim();
            System.out.println((isUri(text) ? "1" : "0") + (isUrl(text) ? "1" : "0"));
        }
    }

    private static boolean isUri(String text) {
        try {
            URI.create(text);
            return true;
        } catch (IllegalArgumentException wrong) {
            return false;
        }
    }

    private static boolean isUrl(String text) {
        try {
            return text.isEmpty() || new URL(text) != null;
        } catch (java.net.MalformedURLException wrong) {
            return false;
        }
    }
}
