using Evidence.Hashing;

namespace Evidence.Vaults;

/// <summary>Where things lie in a vault's folder (<c>docs/format/vault.md</c>).</summary>
internal sealed class VaultLayout(string folder)
{
    internal const string PackExtension = ".pack";
    internal const string ManifestExtension = ".json";
    private const string OpeningExtension = ".json";

    internal string Folder { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    internal string Settings => Path.Combine(Folder, "vault.json");

    /// <summary>In a replica: which one it is.</summary>
    internal string Replica => Path.Combine(Folder, ReplicaIdentity.FileName);

    internal string Packs => Path.Combine(Folder, "packs");

    internal string Images => Path.Combine(Folder, "images");

    internal string Documents => Path.Combine(Folder, "documents");

    /// <summary>The openings of commitments.</summary>
    internal string Openings => Path.Combine(Folder, "openings");

    internal string Ledger => Path.Combine(Folder, "ledger");

    /// <summary>Files that a repair took out of their places because they are damaged.</summary>
    internal string Damaged => Path.Combine(Folder, "damaged");

    internal string Staging => Path.Combine(Folder, "staging");

    /// <summary>The journals of acquisitions that are running, or were interrupted.</summary>
    internal string Resume => Path.Combine(Staging, "resume");

    internal string Pack(Sha256Digest name)
    {
        string text = name.ToString();
        return Path.Combine(Packs, text[..2], text + PackExtension);
    }

    internal string Manifest(Sha256Digest image) => Path.Combine(Images, image + ManifestExtension);

    internal string Document(Sha256Digest document)
    {
        string text = document.ToString();
        return Path.Combine(Documents, text[..2], text);
    }

    internal string Opening(Sha256Digest commitment) => Path.Combine(Openings, commitment + OpeningExtension);

    /// <summary>The packs that are there, by name, in the order of their names; a link or a pipe in a pack's place too, which is then no good pack.</summary>
    /// <param name="failed">Hears of folders that cannot be listed, and why; null to throw instead.</param>
    internal List<Sha256Digest> ListPacks(Action<string, EvidenceException>? failed = null) => List(Packs, PackExtension, Pack, failed);

    /// <summary>The manifests that are there, by image, in the order of their ids.</summary>
    internal List<Sha256Digest> ListManifests(Action<string, EvidenceException>? failed = null) => List(Images, ManifestExtension, Manifest, failed);

    /// <summary>The documents that are there, in the order of their digests.</summary>
    internal List<Sha256Digest> ListDocuments(Action<string, EvidenceException>? failed = null) => List(Documents, "", Document, failed);

    /// <summary>The openings that are there, in the order of their commitments.</summary>
    internal List<Sha256Digest> ListOpenings(Action<string, EvidenceException>? failed = null) => List(Openings, OpeningExtension, Opening, failed);

    private static List<Sha256Digest> List(string folder, string extension, Func<Sha256Digest, string> pathOf, Action<string, EvidenceException>? failed)
    {
        var names = new List<Sha256Digest>();
        foreach (string file in VaultFiles.List(folder, failed))
        {
            // Whatever is not in its own place is foreign.
            if (file.EndsWith(extension, StringComparison.Ordinal) && Sha256Digest.TryParse(Path.GetFileNameWithoutExtension(file), out Sha256Digest name) &&
                string.Equals(file, pathOf(name), StringComparison.Ordinal))
            {
                names.Add(name);
            }
        }

        names.Sort();
        return names;
    }
}
