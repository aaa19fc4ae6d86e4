import java.util.ArrayList;
import java.util.List;

/**
 * The fields and types of Clouddriver's KubernetesAccountProperties 5.90.0, which no repository serves. Spring binds
 * public fields through the accessors below; each type is the recorded one.
 */
public class KubernetesAccounts {
  private List<Account> accounts = new ArrayList<>();

  public List<Account> getAccounts() { return accounts; }
  public void setAccounts(List<Account> value) { accounts = value; }

  public static class Account {
    private String name;
    private String environment;
    private String accountType;
    private String context;
    private String kubeconfigFile;
    private String kubeconfigContents;
    private String kubectlExecutable;
    private Integer kubectlRequestTimeoutSeconds;
    private Boolean serviceAccount;
    private String oAuthServiceAccount;
    private List<String> oAuthScopes;
    private List<String> namespaces;
    private List<String> omitNamespaces;
    private List<String> kinds;
    private List<String> omitKinds;
    private List<CustomResource> customResources;
    private List<CachingPolicy> cachingPolicies;
    private int cacheThreads;
    private Long cacheIntervalSeconds;
    private boolean cacheAllApplicationRelationships;
    private List<String> requiredGroupMembership;
    private com.netflix.spinnaker.fiat.model.resources.Permissions.Builder permissions;
    private String namingStrategy;
    private boolean debug;
    private boolean metrics;
    private boolean checkPermissionsOnStartup;
    private boolean onlySpinnakerManaged;
    private RawResources rawResourcesEndpointConfig;
    public String getName() { return name; }
    public void setName(String value) { name = value; }
    public String getEnvironment() { return environment; }
    public void setEnvironment(String value) { environment = value; }
    public String getAccountType() { return accountType; }
    public void setAccountType(String value) { accountType = value; }
    public String getContext() { return context; }
    public void setContext(String value) { context = value; }
    public String getKubeconfigFile() { return kubeconfigFile; }
    public void setKubeconfigFile(String value) { kubeconfigFile = value; }
    public String getKubeconfigContents() { return kubeconfigContents; }
    public void setKubeconfigContents(String value) { kubeconfigContents = value; }
    public String getKubectlExecutable() { return kubectlExecutable; }
    public void setKubectlExecutable(String value) { kubectlExecutable = value; }
    public Integer getKubectlRequestTimeoutSeconds() { return kubectlRequestTimeoutSeconds; }
    public void setKubectlRequestTimeoutSeconds(Integer value) { kubectlRequestTimeoutSeconds = value; }
    public Boolean getServiceAccount() { return serviceAccount; }
    public void setServiceAccount(Boolean value) { serviceAccount = value; }
    public String getOAuthServiceAccount() { return oAuthServiceAccount; }
    public void setOAuthServiceAccount(String value) { oAuthServiceAccount = value; }
    public List<String> getOAuthScopes() { return oAuthScopes; }
    public void setOAuthScopes(List<String> value) { oAuthScopes = value; }
    public List<String> getNamespaces() { return namespaces; }
    public void setNamespaces(List<String> value) { namespaces = value; }
    public List<String> getOmitNamespaces() { return omitNamespaces; }
    public void setOmitNamespaces(List<String> value) { omitNamespaces = value; }
    public List<String> getKinds() { return kinds; }
    public void setKinds(List<String> value) { kinds = value; }
    public List<String> getOmitKinds() { return omitKinds; }
    public void setOmitKinds(List<String> value) { omitKinds = value; }
    public List<CustomResource> getCustomResources() { return customResources; }
    public void setCustomResources(List<CustomResource> value) { customResources = value; }
    public List<CachingPolicy> getCachingPolicies() { return cachingPolicies; }
    public void setCachingPolicies(List<CachingPolicy> value) { cachingPolicies = value; }
    public int getCacheThreads() { return cacheThreads; }
    public void setCacheThreads(int value) { cacheThreads = value; }
    public Long getCacheIntervalSeconds() { return cacheIntervalSeconds; }
    public void setCacheIntervalSeconds(Long value) { cacheIntervalSeconds = value; }
    public boolean isCacheAllApplicationRelationships() { return cacheAllApplicationRelationships; }
    public void setCacheAllApplicationRelationships(boolean value) { cacheAllApplicationRelationships = value; }
    public List<String> getRequiredGroupMembership() { return requiredGroupMembership; }
    public void setRequiredGroupMembership(List<String> value) { requiredGroupMembership = value; }
    public com.netflix.spinnaker.fiat.model.resources.Permissions.Builder getPermissions() { return permissions; }
    public void setPermissions(com.netflix.spinnaker.fiat.model.resources.Permissions.Builder value) { permissions = value; }
    public String getNamingStrategy() { return namingStrategy; }
    public void setNamingStrategy(String value) { namingStrategy = value; }
    public boolean isDebug() { return debug; }
    public void setDebug(boolean value) { debug = value; }
    public boolean isMetrics() { return metrics; }
    public void setMetrics(boolean value) { metrics = value; }
    public boolean isCheckPermissionsOnStartup() { return checkPermissionsOnStartup; }
    public void setCheckPermissionsOnStartup(boolean value) { checkPermissionsOnStartup = value; }
    public boolean isOnlySpinnakerManaged() { return onlySpinnakerManaged; }
    public void setOnlySpinnakerManaged(boolean value) { onlySpinnakerManaged = value; }
    public RawResources getRawResourcesEndpointConfig() { return rawResourcesEndpointConfig; }
    public void setRawResourcesEndpointConfig(RawResources value) { rawResourcesEndpointConfig = value; }
  }

  public static class CustomResource {
    private String kubernetesKind;
    private String spinnakerKind;
    private String deployPriority;
    private boolean versioned;
    private boolean namespaced;
    public String getKubernetesKind() { return kubernetesKind; }
    public void setKubernetesKind(String value) { kubernetesKind = value; }
    public String getSpinnakerKind() { return spinnakerKind; }
    public void setSpinnakerKind(String value) { spinnakerKind = value; }
    public String getDeployPriority() { return deployPriority; }
    public void setDeployPriority(String value) { deployPriority = value; }
    public boolean isVersioned() { return versioned; }
    public void setVersioned(boolean value) { versioned = value; }
    public boolean isNamespaced() { return namespaced; }
    public void setNamespaced(boolean value) { namespaced = value; }
  }

  public static class CachingPolicy {
    private String kubernetesKind;
    private int maxEntriesPerAgent;
    public String getKubernetesKind() { return kubernetesKind; }
    public void setKubernetesKind(String value) { kubernetesKind = value; }
    public int getMaxEntriesPerAgent() { return maxEntriesPerAgent; }
    public void setMaxEntriesPerAgent(int value) { maxEntriesPerAgent = value; }
  }

  public static class RawResources {
    private List<String> kindExpressions;
    private List<String> omitKindExpressions;
    public List<String> getKindExpressions() { return kindExpressions; }
    public void setKindExpressions(List<String> value) { kindExpressions = value; }
    public List<String> getOmitKindExpressions() { return omitKindExpressions; }
    public void setOmitKindExpressions(List<String> value) { omitKindExpressions = value; }
  }
}
