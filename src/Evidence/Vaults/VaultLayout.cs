using Evidence.Hashing;

namespace Evidence.Vaults;

/// <summary>Where things lie in a vault's folder (<c>docs/format/vault.md</c>).</summary>
internal sealed class VaultLayout(string folder)
{
    internal const string PackExtension = ".pack";
    internal const string ManifestExtension = ".json";

    internal string Folder { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    internal string Settings => Path.Combine(Folder, "vault.json");

    internal string Packs => Path.Combine(Folder, "packs");

    internal string Images => Path.Combine(Folder, "images");

    internal string Ledger => Path.Combine(Folder, "ledger");

    internal string Staging => Path.Combine(Folder, "staging");

    internal string Pack(Sha256Digest name)
    {
        string text = name.ToString();
        return Path.Combine(Packs, text[..2], text + PackExtension);
    }

    internal string Manifest(Sha256Digest image) => Path.Combine(Images, image + ManifestExtension);

    /// <summary>The packs that are there, by name, in the order of their names.</summary>
    internal List<Sha256Digest> ListPacks() => List(Packs, PackExtension, Pack);

    /// <summary>The manifests that are there, by image, in the order of their ids.</summary>
    internal List<Sha256Digest> ListManifests() => List(Images, ManifestExtension, Manifest);

    private static List<Sha256Digest> List(string folder, string extension, Func<Sha256Digest, string> pathOf)
    {
        var names = new List<Sha256Digest>();
        if (!Directory.Exists(folder))
            return names;
        foreach (string file in Directory.EnumerateFiles(folder, "*" + extension, SearchOption.AllDirectories))
        {
            // Whatever is not in its own place is foreign.
            if (Sha256Digest.TryParse(Path.GetFileNameWithoutExtension(file), out Sha256Digest name) &&
                string.Equals(file, pathOf(name), StringComparison.Ordinal))
            {
                names.Add(name);
            }
        }

        names.Sort();
        return names;
    }
}
