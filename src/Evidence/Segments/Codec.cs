namespace Evidence.Segments;

/// <summary>How the bytes of a record are stored. The numbers stand on disk (<c>docs/format/pack.md</c>).</summary>
public enum Codec
{
    /// <summary>As they are.</summary>
    Stored = 0,

    /// <summary>A raw DEFLATE stream (RFC 1951).</summary>
    Deflate = 1,

    /// <summary>A Brotli stream (RFC 7932).</summary>
    Brotli = 2,
}

/// <summary>How hard a writer tries to make segments smaller. Readers need not know.</summary>
public enum Compression
{
    /// <summary>Everything is stored as it is.</summary>
    None,

    /// <summary>Brotli at quality 1: about 340 MB/s on a core, a sixth larger than <see cref="Best"/>.</summary>
    Fast,

    /// <summary>Brotli at quality 5, the last that keeps pace with a disk: about 75 MB/s on a core. Quality 9 gains one percent at a tenth of the pace.</summary>
    Best,
}
