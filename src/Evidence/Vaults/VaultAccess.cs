using Evidence.Ledger;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;

namespace Evidence.Vaults;

/// <summary>Who opens a vault, and with what.</summary>
public sealed record VaultAccess
{
    /// <summary>The name of the actor whose key signs entries when none is given: the user's name.</summary>
    public static string DefaultActor => Environment.UserName is { Length: > 0 } user ? user : "examiner";

    /// <summary>The keys, and what was seen of ledgers before. Null: the vault can be read, and nothing is remembered of it.</summary>
    public KeyStore? Keys { get; init; }

    /// <summary>The actor that signs entries: the name of a key in <see cref="Keys"/>, made when it is first needed.</summary>
    public string Actor { get; init; } = DefaultActor;

    /// <summary>Where the index cache lies, one folder for each vault below it; null to keep the index in memory.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Where claimed instants come from.</summary>
    public IClock Clock { get; init; } = SystemClock.Instance;

    /// <summary>Hears of each append to a ledger whose log's keys are here, once its new checkpoint is in its place. It must not take long, nor throw.</summary>
    public Action<VaultLedger>? Appended { get; init; }

    /// <summary>Hears of what happens on the way.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The user's own keys (<see cref="KeyStore.DefaultFolder"/>) and cache folder.</summary>
    public static VaultAccess Default() => new()
    {
        Keys = new KeyStore(KeyStore.DefaultFolder()),
        CacheFolder = DefaultCacheFolder(),
    };

    /// <summary><c>evidence</c> below <c>XDG_CACHE_HOME</c>, or below the user's <c>.cache</c>; null where the user has no home.</summary>
    public static string? DefaultCacheFolder()
    {
        string? folder = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(folder))
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
            folder = home.Length == 0 ? null : Path.Combine(home, ".cache");
        }

        return folder is null ? null : Path.Combine(folder, "evidence");
    }
}
