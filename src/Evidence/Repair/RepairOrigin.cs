using Evidence.Hashing;

namespace Evidence.Repair;

/// <summary>Where in an image something that is missing stands.</summary>
/// <param name="Offset">The first byte of the image that it is of.</param>
/// <param name="Length">The number of bytes.</param>
internal readonly record struct ImagePlace(long Offset, int Length);

/// <summary>Where missing content may come from. Nothing that comes from it is believed: who asks recomputes the id.</summary>
internal abstract class RepairOrigin : IDisposable
{
    /// <summary>What it is called: its path.</summary>
    internal abstract string Name { get; }

    /// <summary>What it is.</summary>
    internal abstract RepairOriginKind Kind { get; }

    /// <summary>The segments that came from it.</summary>
    internal long Segments { get; private set; }

    /// <summary>Their bytes.</summary>
    internal long Bytes { get; private set; }

    /// <summary>How often it had other bytes than the id says, and was refused.</summary>
    internal long Refused { get; private set; }

    /// <summary>Content by its id, proven.</summary>
    /// <param name="id">The SHA-256 of the content.</param>
    /// <param name="maximumLength">The most bytes that it can rightly have.</param>
    /// <param name="place">Where its bytes stand in the image that is being gone through; null for what stands in none, such as a page of a map.</param>
    /// <param name="cancellation">Stops the search.</param>
    /// <returns>Null where this does not have it, or has something else.</returns>
    internal byte[]? TryRead(Sha256Digest id, int maximumLength, ImagePlace? place, CancellationToken cancellation)
    {
        byte[]? content = Read(id, maximumLength, place, cancellation);
        if (content is null)
            return null;
        if (Sha256Digest.Compute(content) != id)
        {
            Refused++;
            return null;
        }

        Count(content.Length);
        return content;
    }

    /// <summary>Counts content that came from it, and was proven.</summary>
    internal void Count(int length)
    {
        Segments++;
        Bytes += length;
    }

    /// <summary>The bytes of a manifest, proven by its name.</summary>
    internal byte[]? TryReadManifest(Sha256Digest image)
    {
        byte[]? bytes = ReadManifest(image);
        if (bytes is null || Sha256Digest.Compute(bytes) == image)
            return bytes;
        Refused++;
        return null;
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>What this has for an id; it need not be right.</summary>
    protected abstract byte[]? Read(Sha256Digest id, int maximumLength, ImagePlace? place, CancellationToken cancellation);

    /// <summary>What this has for a manifest; it need not be right.</summary>
    protected virtual byte[]? ReadManifest(Sha256Digest image) => null;

    /// <summary>Counts something that was met in place of what it should be.</summary>
    protected void Refuse() => Refused++;
}

/// <summary>What brings content back.</summary>
public enum RepairOriginKind
{
    /// <summary>Another vault.</summary>
    Vault,

    /// <summary>What was imaged, or an export of it: a device, a file, the parts of a split file.</summary>
    Image,

    /// <summary>Packs that an earlier repair of this vault set aside.</summary>
    SetAside,
}
